import {
  type AgentHooks,
  type DesiredRecords,
  type DesiredState,
  type Plugin,
  type PluginClass,
  parseFlow,
  plugin,
  Service,
  use,
} from '@patchbay/sdk';
import { aPort, Kit } from '@patchbay/testing';

jest.setTimeout(60_000);

function stating(id: string, table: number, records: () => DesiredRecords): PluginClass {
  class Stating implements Plugin {
    constructor(private readonly desired: DesiredState) {}
    tap(hooks: AgentHooks): void {
      hooks.onPortAdded(() => this.desired.set('key', records()));
    }
  }
  use(Service.desired)(Stating, undefined, 0);
  const numbers = [
    { kind: 'group', bridge: 'integration', numbers: [1, 9] },
    { kind: 'meter', bridge: 'integration', numbers: [1, 9] },
  ] as const;
  plugin({
    id,
    summary: 'States',
    sdk: '^1.0.0',
    onFailure: 'degrade',
    claims: [{ bridge: 'integration', tables: [table] }],
    numbers,
  })(Stating);
  return Stating;
}

const drop = (table: number) => parseFlow('br-int', `table=${table},priority=7 actions=drop`);
const honest = stating('honest', 60, () => ({ flows: [drop(60)] }));

/** What passes the planner and cannot be put on the wire: on a real switch, for the one in memory encodes nothing. */
const CASES: Readonly<Record<string, () => DesiredRecords>> = {
  'a flow of 65 560 bytes': () => ({
    flows: [
      {
        ...drop(61),
        actions: Array.from({ length: 4095 }, (_, index) => ({ type: 'output' as const, port: index + 1 })),
      },
    ],
  }),
  'a group of 3 000 buckets': () => ({
    groups: [
      {
        bridge: 'br-int',
        group: 1,
        kind: 'all',
        buckets: Array.from({ length: 3000 }, () => ({ actions: [{ type: 'output' as const, port: 1 }] })),
      },
    ],
  }),
  'a meter of 5 000 bands': () => ({
    meters: [
      {
        bridge: 'br-int',
        meter: 1,
        unit: 'kbps',
        bands: Array.from({ length: 5000 }, (_, index) => ({ kind: 'drop' as const, rate: index + 1 })),
      },
    ],
  }),
  'a timeout that is a bigint': () => ({ flows: [{ ...drop(61), idleTimeout: 300n as never }] }),
};

describe('others’ flows are installed beside a plugin that states', () => {
  it.each(Object.entries(CASES))('%s, and its key is refused', async (_what, records) => {
    const kit = await Kit.start({ plugins: [honest, stating('culprit', 61, records)], switch: 'ovs' });
    try {
      await kit.fire.onPortAdded(aPort({ id: 'port-1' }));
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(await kit.installedFlows('br-int', 'honest')).toHaveLength(1);
      expect(await kit.switch.store.progress('culprit', 'key')).toMatchObject({ state: 'quarantined' });
    } finally {
      await kit.stop();
    }
  });
});
