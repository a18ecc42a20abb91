import type { DesiredRecords, KeyProgress } from '@patchbay/sdk';
import type { DesiredChange } from '../../../core/kernel/desired-port';
import { createSwitch, type ListedPlugin, type Switch } from '../../../core/switch';
import { boundPort, bridgeRow, FakeDesired, FakeStore, type FakeSwitch, VLAN_SEGMENT } from '../../support/plugin-kit';
import { type PrivateSwitch, startPrivateSwitch } from '../../support/private-switch';
import { group, setUp } from '../../support/security-groups-kit';
import { LineLogger, SETTINGS } from '../../support/switch/rig';

jest.setTimeout(120_000);

const PLUGINS: readonly ListedPlugin[] = [
  { id: 'security-groups', required: true, claims: [{ bridge: 'integration', tables: 'all' }] },
];

let ovs: PrivateSwitch;
let side: Switch;

/** The plugin's desired state on the real switch side: what is stated together leaves together. */
class LiveDesired extends FakeDesired {
  private staged: DesiredChange[] | undefined;

  override set(key: string, records: DesiredRecords): void {
    super.set(key, records);
    this.change(key, records);
  }

  override unset(key: string): void {
    super.unset(key);
    this.change(key, null);
  }

  override complete(): void {
    super.complete();
    side.store.complete('security-groups');
  }

  override async progress(key: string): Promise<KeyProgress> {
    return side.store.progress('security-groups', key);
  }

  async together<T>(act: () => Promise<T>): Promise<T> {
    const outer = this.staged;
    this.staged = [];
    const value = await act();
    side.store.apply(this.staged, 'event');
    this.staged = outer;
    return value;
  }

  private change(key: string, records: DesiredRecords | null): void {
    const change = { plugin: 'security-groups', key, records };
    if (this.staged === undefined) side.store.apply([change], 'test');
    else this.staged.push(change);
  }
}

function bedOn(store = new FakeStore()) {
  const desired = new LiveDesired();
  const bed = setUp({
    store,
    desired,
    installed: side.view.flows.bind(side.view) as FakeSwitch['flows'],
    together: (act) => desired.together(act),
  });
  bed.view.addBridge(bridgeRow('br-int'));
  return bed;
}

const flowMods = () => {
  const { added, changed, removed } = side.status().figures;
  return added + changed + removed;
};
/** Waits until all of the keys are on the switch. */
async function acknowledged(keys: () => readonly Promise<KeyProgress>[]): Promise<void> {
  for (let attempt = 0; attempt < 2_400; attempt++) {
    const all = await Promise.all(keys());
    await side.settled();
    if (all.every(({ state }) => state === 'applied')) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the switch has not acknowledged every key');
}

const applied = (bed: ReturnType<typeof setUp>): Promise<void> =>
  acknowledged(() => bed.desired.keys().map((key) => bed.desired.progress(key)));

/** How many flows an act changes. */
async function changedBy(bed: ReturnType<typeof setUp>, act: () => Promise<unknown>): Promise<number> {
  const before = flowMods();
  await act();
  await applied(bed);
  return flowMods() - before;
}

const start = async (): Promise<void> => {
  side = createSwitch({
    settings: { ...SETTINGS, ovsdb_connection: `unix:${ovs.dbSocket}`, ovs_run_dir: ovs.runDir },
    logger: new LineLogger(),
    plugins: PLUGINS,
  });
  await side.start();
  side.beginWriting();
};

beforeEach(async () => {
  ovs = await startPrivateSwitch();
  await start();
  const bridge = { name: 'br-int', presence: 'create', failMode: 'secure', datapathType: 'netdev' } as const;
  side.store.apply([{ plugin: 'wiring', key: 'bridge', records: { bridges: [bridge] } }], 'test');
  await acknowledged(() => [side.store.progress('wiring', 'bridge')]);
  for (const id of ['p1', 'p2', 'p3']) {
    await ovs.vsctl('add-port', 'br-int', `tap-${id}`, '--', 'set', 'Interface', `tap-${id}`, 'type=dummy');
  }
});
afterEach(async () => {
  await side.stop();
  await ovs.stop();
});

/** The ports, and the local VLAN that each is on. */
const PORTS = { p1: 1, p2: 2, p3: 2 } as const;
type PortId = keyof typeof PORTS;
const PORT_IDS = Object.keys(PORTS) as PortId[];

async function wirePort(bed: ReturnType<typeof setUp>, id: PortId): Promise<void> {
  const macAddress = `fa:16:3e:00:00:0${id.slice(1)}`;
  const securityGroupIds = id === 'p3' ? ['web', 'api'] : ['web'];
  await bed.fire('onPortAdded', boundPort({ id, macAddress, securityGroupIds }, VLAN_SEGMENT, PORTS[id]));
}

async function wire(bed: ReturnType<typeof setUp>): Promise<void> {
  for (const id of PORT_IDS) await wirePort(bed, id);
  await applied(bed);
}

function fill({ resources }: ReturnType<typeof setUp>): void {
  const ssh = { protocol: 'tcp', portRangeMin: 22, portRangeMax: 22, remoteGroupId: 'lb' };
  resources.groups.set('web', group('web', [ssh, { protocol: 'icmp', remoteGroupId: 'lb' }]));
  resources.groups.set('api', group('api', [ssh]));
  resources.setMembers('lb', '10.9.0.1', '10.9.0.2');
}

const dump = async (): Promise<readonly string[]> =>
  (await ovs.ofctl('-O', 'OpenFlow14', 'dump-flows', '--no-stats', `unix:${ovs.runDir}/br-int.mgmt`)).split('\n');

/** The conjunctions of which both clauses and the outcome are there, for a new SSH connection from 10.9.0.1 to the port. */
async function admissions(id: PortId): Promise<readonly number[]> {
  const ofport = Number(await ovs.vsctl('get', 'Interface', `tap-${id}`, 'ofport')).toString(16);
  const flows = (await dump()).filter((line) => line.includes('table=82') && line.includes('+new'));
  const clauses = (of: string, clause: number) =>
    flows
      .filter((line) => line.includes(of))
      .flatMap((line) =>
        [...line.matchAll(new RegExp(`conjunction\\((\\d+),${clause}/2\\)`, 'g'))].map(([, found]) => Number(found)),
      );
  const addresses = new Set(clauses(`reg6=0x${PORTS[id]},nw_src=10.9.0.1 `, 1));
  const outcomes = new Set(
    flows.flatMap((line) =>
      line.includes(`reg5=0x${ofport},`) || line.includes(`reg5=0x${ofport} `)
        ? [Number(/conj_id=(\d+)/.exec(line)?.[1])]
        : [],
    ),
  );
  const ofPort = clauses(`reg5=0x${ofport},tp_dst=22 `, 2).concat(clauses(`tcp,reg5=0x${ofport},`, 2));
  return [...new Set(ofPort)].filter((one) => addresses.has(one) && outcomes.has(one));
}

describe('security groups on Open vSwitch', () => {
  test('a member more changes local VLANs × states × priorities flows, and one that goes as many', async () => {
    const bed = bedOn();
    fill(bed);
    await wire(bed);
    const vlans = 2;
    const states = 2;
    const priorities = 2;
    const membersBecome = (...addresses: readonly string[]) =>
      changedBy(bed, async () => {
        bed.resources.setMembers('lb', ...addresses);
        await bed.fire('onSecurityGroupUpdated', { securityGroupIds: ['lb'], change: 'members' });
      });
    expect(await membersBecome('10.9.0.1', '10.9.0.2', '10.9.0.3')).toBe(vlans * states * priorities);
    expect(await membersBecome('10.9.0.1', '10.9.0.2')).toBe(vlans * states * priorities);
  });

  test('an address that several groups name is one flow with a clause for each', async () => {
    const bed = bedOn();
    fill(bed);
    await wire(bed);
    const flows = await ovs.ofctl('-O', 'OpenFlow14', 'dump-flows', '--no-stats', `unix:${ovs.runDir}/br-int.mgmt`);
    const ofAddress = flows
      .split('\n')
      .filter((line) => line.includes('reg6=0x2,nw_src=10.9.0.1 ') && line.includes('priority=73'));
    expect(ofAddress).toHaveLength(2);
    for (const line of ofAddress) expect(line.match(/conjunction\(/g)).toHaveLength(2);
  });

  test('a rule more adds its own flows and touches no other', async () => {
    const bed = bedOn();
    fill(bed);
    await wire(bed);
    const rules = bed.resources.groups.get('web')?.rules ?? [];
    const changed = await changedBy(bed, async () => {
      bed.resources.groups.set(
        'web',
        group('web', [...rules, { id: 'more', protocol: 'udp', portRangeMin: 53, portRangeMax: 53 }]),
      );
      await bed.fire('onSecurityGroupUpdated', { securityGroupIds: ['web'], change: 'rules' });
    });
    const [ports, states] = [3, 2];
    expect(changed).toBe(ports * states);
  });

  test('started again with its record, the plugin changes nothing', async () => {
    const first = bedOn();
    fill(first);
    await wire(first);
    await side.stop();
    await start();
    const second = bedOn(first.store);
    fill(second);
    // Port after port, each on the switch before the next one: an address that the last one needs stays from the first.
    for (const id of PORT_IDS) expect(await changedBy(second, () => wirePort(second, id))).toBe(0);
    expect(await changedBy(second, () => second.fire('onAgentSynced', { ports: 3 }))).toBe(0);
  });

  test('without its record, new ids come above the old; a port is let through by the one or the other at any time, and no old one stays', async () => {
    const first = bedOn();
    fill(first);
    await wire(first);
    const old = new Set((await Promise.all(PORT_IDS.map(admissions))).flat());
    expect(old.size).toBe(2);
    await side.stop();
    await start();

    const second = bedOn();
    fill(second);
    for (const id of PORT_IDS) {
      await wirePort(second, id);
      await applied(second);
      for (const each of PORT_IDS) expect(await admissions(each)).not.toEqual([]);
    }
    await second.fire('onAgentSynced', { ports: 3 });
    await side.settled();

    const left = (await Promise.all(PORT_IDS.map(admissions))).flat();
    expect(Math.min(...left)).toBeGreaterThan(Math.max(...old));
    const ids = (await dump()).flatMap((line) =>
      [...line.matchAll(/conj(?:unction\(|_id=)(\d+)/g)].map(([, id]) => Number(id)),
    );
    expect(ids.filter((id) => id <= Math.max(...old))).toEqual([]);
  });
});
