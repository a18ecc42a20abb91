import { type Flow, parseFlow } from '@patchbay/sdk';
import { SwitchRig } from '../../support/switch/rig';

const drop = parseFlow('br-int', 'table=60,priority=2 actions=drop');
const normal = parseFlow('br-int', 'table=60,priority=2 actions=NORMAL');
const unmade: Flow = { bridge: 'br-int', table: 60, priority: 1, match: { nw_src: '10.0.0.999' }, actions: [] };

let rig: SwitchRig;
const said = (key: string) => rig.logger.lines.filter((line) => line.startsWith('error') && line.includes(`"${key}"`));

beforeEach(async () => {
  rig = await SwitchRig.start(['br-int']);
});

afterEach(() => rig.stop());

describe('a key that cannot be compiled', () => {
  it('is counted, and written about once, though stated again and again', async () => {
    await rig.stated('wiring', 'bad', { flows: [unmade] });
    await rig.stated('wiring', 'bad', { flows: [unmade] });
    expect(rig.side.status().quarantined).toBe(1);
    expect(said('bad')).toEqual([expect.stringContaining('10.0.0.999')]);
  });

  it('is counted no more once it is mended, or withdrawn', async () => {
    await rig.stated('wiring', 'bad', { flows: [unmade] });
    await rig.stated('wiring', 'worse', { flows: [unmade] });
    await rig.stated('wiring', 'bad', { flows: [drop] });
    expect(rig.side.status().quarantined).toBe(1);
    await rig.stated('wiring', 'worse', null);
    expect(rig.side.status().quarantined).toBe(0);
  });

  it('is explained for its port', async () => {
    await rig.stated('wiring', 'port/p-1', { flows: [unmade] });
    expect(rig.side.explain('p-1')).toMatchObject([{ key: 'port/p-1', progress: { state: 'quarantined' }, parts: [] }]);
  });

  it('is one of many that share a few lines', async () => {
    rig.apply(
      Array.from({ length: 50 }, (_, index) => ({ plugin: 'wiring', key: `k${index}`, records: { flows: [unmade] } })),
    );
    await rig.quiet();
    expect(rig.side.status().quarantined).toBe(50);
    expect(rig.logger.lines.filter((line) => line.startsWith('error')).length).toBe(21);
  });
});

it('a key that the switch refuses is written about once a refusal', async () => {
  rig.bridge('br-int').refuse((message) => (message.kind === 'flow' ? 'OFPBAC_BAD_ARGUMENT' : undefined));
  await rig.stated('wiring', 'refused', { flows: [drop] });
  expect(rig.side.status().quarantined).toBe(1);
  expect(said('refused')).toHaveLength(1);
});

it('a key whose place another plugin has is counted, and written about', async () => {
  rig.apply([
    { plugin: 'other', key: 'loser', records: { flows: [drop] } },
    { plugin: 'wiring', key: 'winner', records: { flows: [normal] } },
  ]);
  await rig.quiet();
  expect(rig.side.status().quarantined).toBe(1);
  expect(said('loser')).toEqual([expect.stringContaining('stated differently by wiring winner')]);
});
