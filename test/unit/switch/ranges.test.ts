import { type DesiredRecords, type Flow, type Group, type Match, type Meter, parseFlow } from '@patchbay/sdk';
import { SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

beforeEach(async () => {
  rig = await SwitchRig.start(['br-int']);
});

afterEach(() => rig.stop());

const flow = (parts: Partial<Flow>): DesiredRecords => ({
  flows: [{ ...parseFlow('br-int', 'table=60,priority=2 actions=drop'), ...parts }],
});
const group = (parts: Partial<Group>): DesiredRecords => ({
  groups: [{ bridge: 'br-int', group: 7, kind: 'all', buckets: [], ...parts }],
});
const meter = (parts: Partial<Meter>): DesiredRecords => ({
  meters: [{ bridge: 'br-int', meter: 3, unit: 'kbps', bands: [{ kind: 'drop', rate: 100 }], ...parts }],
});
/** As plain JavaScript has it. */
const match = (fields: Readonly<Record<string, unknown>>): DesiredRecords => flow({ match: fields as Match });

const OUT_OF_RANGE: readonly (readonly [DesiredRecords, string])[] = [
  [flow({ priority: 70_000 }), 'priority: 70000 is not a whole number from 0 to 65535'],
  [flow({ priority: -1 }), 'priority: -1 is not a whole number from 0 to 65535'],
  [flow({ priority: Number.NaN }), 'priority: NaN is not a whole number from 0 to 65535'],
  [flow({ priority: 1.5 }), 'priority: 1.5 is not a whole number from 0 to 65535'],
  [flow({ table: 255 }), 'table: 255 is not a whole number from 0 to 254'],
  [flow({ idleTimeout: 300_000 }), 'idleTimeout: 300000 is not a whole number from 0 to 65535'],
  [flow({ hardTimeout: 65_536 }), 'hardTimeout: 65536 is not a whole number from 0 to 65535'],
  [
    flow({ actions: [{ type: 'goto_table', table: 300 }] }),
    'goto_table table: 300 is not a whole number from 0 to 254',
  ],
  [
    flow({ actions: [{ type: 'output', port: 2 ** 32 }] }),
    'output port: 4294967296 is not a whole number from 0 to 4294967295',
  ],
  [flow({ actions: [{ type: 'ct', zone: 65_536, exec: [] }] }), 'ct zone: 65536 is not a whole number from 0 to 65535'],
  [group({ group: 2 ** 32 }), 'group: 4294967296 is not a whole number from 0 to 4294967040'],
  [group({ kind: 'any' as 'all' }), "group 7 kind: 'any' is none of all, select, indirect, ff"],
  [
    group({ kind: 'select', buckets: [{ weight: 70_000, actions: [] }] }),
    'weight: 70000 is not a whole number from 0 to 65535',
  ],
  [meter({ bands: [{ kind: 'drop', rate: 1e12 }] }), 'rate: 1000000000000 is not a whole number from 0 to 4294967295'],
  [meter({ meter: 0 }), 'meter: 0 is not a whole number from 1 to 4294901760'],
  [meter({ unit: 'mbps' as 'kbps' }), "meter 3 unit: 'mbps' is none of kbps, pktps"],
  [match({ reg5: undefined }), 'reg5: is undefined: a field that is not to be matched must not be named'],
  [match({ reg5: null }), 'reg5: is null: a field that is not to be matched must not be named'],
  [match({ dl_vlan: Number.NaN }), 'dl_vlan: NaN is not a whole number'],
];

it.each(OUT_OF_RANGE)('%j is refused by name before it is sent: %s', async (records, reason) => {
  expect(await rig.stated('wiring', 'key', records)).toEqual({ state: 'quarantined', reason });
  expect(rig.bridge('br-int').applied).toEqual([]);
});

it('what is at the ends of the ranges is taken', async () => {
  const records = {
    ...flow({
      priority: 65_535,
      idleTimeout: 65_535,
      match: { reg5: 0 },
      actions: [{ type: 'output', port: 'LOCAL' }],
    }),
    ...group({ group: 0 }),
    ...meter({ meter: 0xffff_0000, bands: [{ kind: 'drop', rate: 0xffff_ffff }] }),
  };
  expect(await rig.stated('wiring', 'key', records)).toEqual({ state: 'applied' });
});
