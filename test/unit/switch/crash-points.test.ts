import { DEAD_VLAN, type DesiredRecords, parseFlow } from '@patchbay/sdk';
import type { DesiredChange } from '../../../core/kernel/desired-port';
import type { FlowTableClient } from '../../../core/switch/openflow';
import { Mortality } from '../../support/switch/mortality';
import { SwitchRig } from '../../support/switch/rig';

const LIVE = 10;
const flow = (text: string) => parseFlow('br-int', text);
const fromPort = (text: string) => ({ ...flow(text), match: { ...flow(text).match, in_port: { port: 'tap1' } } });

const base: DesiredRecords = {
  bridges: [{ name: 'br-int', presence: 'create' }],
  flows: [flow('table=0,priority=0 actions=drop'), flow('table=60,priority=0 actions=NORMAL')],
};
const gate = (tag: number): DesiredRecords => ({
  gates: [
    {
      bridge: 'br-int',
      port: 'tap1',
      subject: 'p1',
      tag,
      ...(tag === DEAD_VLAN
        ? {}
        : { otherConfig: { tag: String(tag) }, admission: [fromPort('table=0,priority=1 actions=goto_table:60')] }),
    },
  ],
});
const guard: DesiredRecords = {
  flows: [fromPort('table=24,priority=2 actions=goto_table:25'), fromPort('table=25,priority=2 actions=meter:7,drop')],
  meters: [{ bridge: 'br-int', meter: 7, unit: 'kbps', bands: [{ kind: 'drop', rate: 1000 }] }],
  groups: [{ bridge: 'br-int', group: 7, kind: 'all', buckets: [{ actions: [{ type: 'output', port: 'LOCAL' }] }] }],
};

const WIRED: readonly DesiredChange[] = [
  { plugin: 'wiring', key: 'bridge', records: base },
  { plugin: 'wiring', key: 'port/p1', records: gate(LIVE) },
  { plugin: 'guard', key: 'port/p1', records: guard },
];
const UNWIRED: readonly DesiredChange[] = [
  { plugin: 'wiring', key: 'bridge', records: base },
  { plugin: 'wiring', key: 'port/p1', records: gate(DEAD_VLAN) },
  { plugin: 'guard', key: 'port/p1', records: null },
];

/** A rig whose agent dies after so many writes. */
class MortalRig {
  readonly breaches: string[] = [];
  private died: () => void = () => undefined;
  private death = new Promise<void>(() => undefined);

  private constructor(
    readonly rig: SwitchRig,
    readonly mortality: Mortality,
  ) {
    mortality.watchDatabase(rig.server);
  }

  static async start(): Promise<MortalRig> {
    const all: { mortal?: MortalRig; rig?: SwitchRig } = {};
    const mortality = new Mortality({ died: () => all.mortal?.died(), wrote: (what) => all.mortal?.look(what) });
    const connect = async (bridge: string): Promise<FlowTableClient> => {
      while (all.rig === undefined) await new Promise((resolve) => setImmediate(resolve));
      return mortality.watchClient(all.rig.bridge(bridge).connect(), bridge);
    };
    const rig = await SwitchRig.start(['br-int'], { connect });
    all.rig = rig;
    all.mortal = new MortalRig(rig, mortality);
    rig.plug('tap1');
    await rig.quiet();
    return all.mortal;
  }

  /** The agent dies after that many writes from now. */
  dieAfter(writes: number): void {
    this.mortality.dieAfter(writes);
    this.death = new Promise((resolve) => {
      this.died = resolve;
    });
  }

  async bring(changes: readonly DesiredChange[]): Promise<void> {
    this.rig.apply(changes);
    await Promise.race([this.rig.quiet(), this.death]);
    this.rig.completeAll();
    await Promise.race([this.rig.quiet(), this.death]);
  }

  async startAgain(changes: readonly DesiredChange[]): Promise<void> {
    this.rig.server.dropSessions();
    await this.rig.side.stop();
    this.dieAfter(Number.POSITIVE_INFINITY);
    await this.rig.restart();
    await this.bring(changes);
  }

  state(): unknown {
    const port = this.rig.row('Port', 'tap1');
    const { meters, groups } = this.rig.bridge('br-int');
    return {
      flows: this.rig.flows('br-int'),
      tag: port?.tag,
      trunks: port?.trunks,
      mode: port?.vlan_mode,
      meters: [...meters.keys()],
      groups: [...groups.keys()],
    };
  }

  /** A port that sends, or is in a live VLAN, has every flow that guards it. */
  private look(after: string): void {
    const flows = this.rig.flows('br-int').join('\n');
    const tag = this.rig.row('Port', 'tap1')?.tag;
    const isOpen = /table=0,priority=1,in_port/.test(flows) || tag === LIVE;
    const isGuarded = /table=24,priority=2,in_port/.test(flows) && /table=25,priority=2,in_port/.test(flows);
    if (isOpen && !isGuarded)
      this.breaches.push(`after ${after}, write ${this.mortality.writes}: tag ${String(tag)}\n${flows}`);
  }
}

/** Every number of writes after which the agent may die: as many as the way has, and none. */
async function everyCrash(from: readonly DesiredChange[], to: readonly DesiredChange[]): Promise<number> {
  const whole = await MortalRig.start();
  await whole.bring(from);
  whole.dieAfter(Number.POSITIVE_INFINITY);
  await whole.bring(to);
  const { writes } = whole.mortality;
  const wanted = whole.state();
  await whole.rig.stop();
  for (let survived = 0; survived <= writes; survived++) {
    const mortal = await MortalRig.start();
    await mortal.bring(from);
    mortal.dieAfter(survived);
    await mortal.bring(to);
    await mortal.startAgain(to);
    expect({ survived, state: mortal.state() }).toEqual({ survived, state: wanted });
    expect(mortal.breaches).toEqual([]);
    await mortal.rig.stop();
  }
  return writes;
}

describe('an agent that is killed at any of its writes', () => {
  it('while it wires a port: the next start ends where it would have, and the port was never open unguarded', async () => {
    expect(await everyCrash([], WIRED)).toBeGreaterThanOrEqual(3);
  });

  it('while it unwires a port: the same', async () => {
    expect(await everyCrash(WIRED, UNWIRED)).toBeGreaterThanOrEqual(2);
  });

  it('while it wires a port, and the next start finds that it is to be unwired: the same', async () => {
    const goal = await MortalRig.start();
    await goal.bring(UNWIRED);
    const wanted = goal.state();
    await goal.rig.stop();
    for (let survived = 0; survived <= 6; survived++) {
      const mortal = await MortalRig.start();
      mortal.dieAfter(survived);
      await mortal.bring(WIRED);
      await mortal.startAgain(UNWIRED);
      const { flows, tag } = mortal.state() as { flows: unknown; tag: unknown };
      expect({ survived, flows, tag }).toMatchObject({
        survived,
        flows: (wanted as { flows: unknown }).flows,
        tag: DEAD_VLAN,
      });
      expect(mortal.breaches).toEqual([]);
      await mortal.rig.stop();
    }
  });
});
