import { type DesiredRecords, parseFlow } from '@patchbay/sdk';
import { createSwitch, type Switch, type SwitchSettings } from '../../../core/switch';
import { connectBridge } from '../../../core/switch/openflow-targets';
import { until } from '../../support/bed-command';
import { type PrivateSwitch, startPrivateSwitch } from '../../support/private-switch';
import { LineLogger, OWN_BRIDGE, PLUGINS, SETTINGS } from '../../support/switch/rig';

jest.setTimeout(60_000);

/** With a group and a meter, of whose changes OpenFlow has no monitor. */
const SHAPED: DesiredRecords = {
  bridges: [OWN_BRIDGE],
  meters: [{ bridge: 'br-int', meter: 5, unit: 'kbps', bands: [{ kind: 'drop', rate: 1000 }] }],
  groups: [{ bridge: 'br-int', group: 9, kind: 'all', buckets: [{ actions: [{ type: 'output', port: 'LOCAL' }] }] }],
  flows: [parseFlow('br-int', 'table=60,priority=1 actions=meter:5,group:9')],
};

let ovs: PrivateSwitch;
let side: Switch;
let logger: LineLogger;

beforeEach(async () => {
  ovs = await startPrivateSwitch();
  logger = new LineLogger();
});

afterEach(async () => {
  await side.stop();
  await ovs.stop();
});

/** Compares every second, and hears of no flow either, as on a switch without flow monitors. */
async function start(drift: SwitchSettings['drift']): Promise<void> {
  const own = { ovsdb_connection: `unix:${ovs.dbSocket}`, ovs_run_dir: ovs.runDir };
  const settings: SwitchSettings = { ...SETTINGS, ...own, resync_interval: 1, drift };
  const connect = async (bridge: string) => {
    const connection = await connectBridge(bridge, settings);
    connection.flowMonitor = () => Promise.reject(new Error('the switch has no flow monitors'));
    return connection;
  };
  side = createSwitch({ settings, logger, plugins: PLUGINS, connect });
  await side.start();
  side.beginWriting();
  side.store.apply([{ plugin: 'wiring', key: 'shaped', records: SHAPED }], 'test');
  await until(async () => (await side.store.progress('wiring', 'shaped')).state === 'applied', { what: 'it is wired' });
}

const ofctl = (command: string, ...words: readonly string[]) =>
  ovs.ofctl('-O', 'OpenFlow14', command, `${ovs.runDir}/br-int.mgmt`, ...words);
const edits = () => side.status().figures.drift;

interface Edited {
  readonly what: string;
  readonly kind: 'changed' | 'removed';
  readonly edit: () => Promise<unknown>;
  /** What the switch shows of it, and the part of that which is as it was stated. */
  readonly shown: () => Promise<string>;
  readonly stated: string;
  readonly place: string;
}

const EDITS: readonly Edited[] = [
  {
    what: 'a group that somebody changed',
    kind: 'changed',
    edit: () => ofctl('mod-group', 'group_id=9,type=all,bucket=actions=IN_PORT'),
    shown: () => ofctl('dump-groups'),
    stated: 'actions=LOCAL',
    place: 'group br-int 9',
  },
  {
    what: 'a meter that somebody changed',
    kind: 'changed',
    edit: () => ofctl('mod-meter', 'meter=5,kbps,bands=type=drop,rate=7'),
    shown: () => ofctl('dump-meters'),
    stated: 'rate=1000',
    place: 'meter br-int 5',
  },
  {
    what: 'a flow that somebody deleted, of which no monitor told',
    kind: 'removed',
    edit: () => ofctl('del-flows', 'table=60'),
    shown: () => ofctl('dump-flows', 'table=60'),
    stated: 'actions=meter:5,group:9',
    place: 'flow br-int table=60,priority=1',
  },
];

const SENTENCES = {
  changed: 'somebody else changed what we installed',
  removed: 'somebody else removed what we installed',
} as const;

describe.each(EDITS)('$what', ({ kind, edit, shown, stated, place }) => {
  const lines = () => logger.lines.filter((line) => line.includes(SENTENCES[kind]) && line.includes(`"${place}"`));

  it('is found by the periodic comparison, counted, logged with whose it is, and put right', async () => {
    await start('repair');
    await edit();
    await until(() => edits()[kind] > 0, { what: 'it is counted' });
    expect(edits()).toMatchObject({ [kind]: 1 });
    expect(await shown()).toContain(stated);
    expect(lines()).toEqual([expect.stringContaining('"owners":["wiring shaped"]')]);
    expect(logger.lines.filter((line) => line.includes('"cause":"resync interval"'))).not.toEqual([]);
  });

  it('is counted and logged once and left as it is where drift is only reported', async () => {
    await start('report');
    await edit();
    await until(() => edits()[kind] > 0, { what: 'it is counted' });
    const rounds = () => side.status().figures.rounds;
    const found = rounds();
    await until(() => rounds() > found + 1, { what: 'it was compared again' });
    expect(edits()).toMatchObject({ [kind]: 1 });
    expect(lines()).toHaveLength(1);
    expect(await shown()).not.toContain(stated);
  });
});
