import type { DesiredRecords, Flow, PortRecord } from '@patchbay/sdk';
import type { DesiredChange } from '../../../core/kernel/desired-port';
import { createSwitch, type Switch } from '../../../core/switch';
import { type FlowTableClient, type FlowTableMessage, OpenFlowConnection } from '../../../core/switch/openflow';
import { type PrivateSwitch, startPrivateSwitch } from '../../support/private-switch';
import { LineLogger, PLUGINS, SETTINGS } from '../../support/switch/rig';

jest.setTimeout(120_000);

const ENDPOINTS = 1_000;
const NETWORKS = 5;

let ovs: PrivateSwitch;
let side: Switch;
/** What was sent to br-tun, bundle by bundle. */
let bundles: (readonly FlowTableMessage[])[] = [];
const logger = new LineLogger();

const watched = (client: FlowTableClient): FlowTableClient =>
  new Proxy(client, {
    get: (target, name) => {
      if (name === 'bundle') {
        return (messages: readonly FlowTableMessage[]) => {
          bundles.push(messages);
          return target.bundle(messages);
        };
      }
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });

type TunnelPortType = Extract<PortRecord, { kind: 'tunnel' }>['type'];

const addressOf = (index: number): string => `100.64.${index >> 8}.${index & 255}`;
const portOf = (index: number): string => `vxlan-${index.toString(16).padStart(8, '0')}`;

const endpoint = (index: number, type: TunnelPortType = 'vxlan'): DesiredChange => ({
  plugin: 'other',
  key: `endpoint/${index}`,
  records: {
    ports: [
      {
        kind: 'tunnel',
        bridge: 'br-tun',
        name: portOf(index),
        type,
        options: { remote_ip: addressOf(index), local_ip: '100.127.0.1', in_key: 'flow', out_key: 'flow' },
      },
    ],
    flows: [
      {
        bridge: 'br-tun',
        table: 0,
        priority: 1,
        match: { in_port: { port: portOf(index) } },
        actions: [{ type: 'goto_table', table: 4 }],
      },
    ],
  },
});

const flood = (network: number, ports: readonly number[]): DesiredChange => ({
  plugin: 'other',
  key: `segment/${network}`,
  records: { flows: [floodFlow(network, ports)] },
});

const floodFlow = (network: number, ports: readonly number[]): Flow => ({
  bridge: 'br-tun',
  table: 22,
  priority: 1,
  match: { dl_vlan: network },
  actions: [
    { type: 'pop_vlan' },
    { type: 'set_field', field: 'tun_id', value: 1000 + network },
    { type: 'output_set', ports: ports.map(portOf) },
  ],
});

const all = Array.from({ length: ENDPOINTS }, (_, index) => index);
const networks = Array.from({ length: NETWORKS }, (_, index) => 1 + index);
const state = (changes: readonly DesiredChange[]): void => side.store.apply(changes, 'test');
const applied = async (key: string): Promise<void> => {
  for (;;) {
    const progress = await side.store.progress('other', key);
    if (progress.state === 'applied') return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

const BRIDGE: DesiredRecords = {
  bridges: [
    { name: 'br-tun', presence: 'create', failMode: 'secure', datapathType: 'netdev', protocols: ['OpenFlow14'] },
  ],
};

beforeAll(async () => {
  ovs = await startPrivateSwitch();
  side = createSwitch({
    settings: { ...SETTINGS, ovsdb_connection: `unix:${ovs.dbSocket}`, ovs_run_dir: ovs.runDir },
    logger,
    plugins: PLUGINS,
    connect: async (bridge) =>
      watched(
        await OpenFlowConnection.connect({ bridge, target: { kind: 'unix', path: `${ovs.runDir}/${bridge}.mgmt` } }),
      ),
  });
  await side.start();
  side.beginWriting();
  state([{ plugin: 'other', key: 'bridge', records: BRIDGE }]);
  await applied('bridge');
  state([...all.map((index) => endpoint(index)), ...networks.map((network) => flood(network, all))]);
  for (const index of all) await applied(`endpoint/${index}`);
  for (const network of networks) await applied(`segment/${network}`);
  await side.settled();
});

afterAll(async () => {
  await side.stop();
  await ovs.stop();
});

beforeEach(() => {
  bundles = [];
  logger.lines.length = 0;
});

describe(`a mesh of ${ENDPOINTS} tunnels`, () => {
  it('takes one endpoint more in one transaction and one bundle, of its flow and the one that floods to it', async () => {
    const { rows } = side.status().figures;
    state([endpoint(2_000), flood(1, [...all, 2_000])]);
    await applied('endpoint/2000');
    await applied('segment/1');
    await side.settled();
    expect(side.status().figures.rows - rows).toBe(1);
    expect(bundles.map((messages) => messages.length)).toEqual([2]);
  });

  it('waits with nothing for an endpoint that the switch cannot make, and says which and why', async () => {
    // As a switch that is older than a kind of tunnel.
    state([endpoint(3_000, 'unheard-of' as TunnelPortType), endpoint(3_001), flood(1, [...all, 3_000, 3_001])]);
    await applied('endpoint/3001');
    await side.settled();
    const adds = bundles
      .flat()
      .flatMap((message) => ('command' in message && message.command === 'add' ? message : []));
    const flooding = adds.flatMap((add) => ('flow' in add && add.flow.table === 22 ? add.flow : [])).at(-1);
    expect(flooding?.actions.filter(({ type }) => type === 'output')).toHaveLength(ENDPOINTS + 1);
    const why = (await side.store.progress('other', 'endpoint/3000')) as {
      state: string;
      waitingFor: readonly string[];
    };
    expect(why.state).toBe('pending');
    expect(why.waitingFor.join()).toMatch(/port vxlan-00000bb8 on br-tun to work: .+/);
  });
});
