import { LEARNED_COOKIE, type LearnedFlows, parseFlow } from '@patchbay/sdk';
import { cookieOf } from '../../../core/switch/cookies';
import { SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

afterEach(() => rig.stop());

const install = (text: string, cookie: bigint) =>
  rig
    .bridge('br-tun')
    .connect()
    .send([{ kind: 'flow', command: 'add', flow: parseFlow('br-tun', text), cookie }]);

const deleted = async (which: Omit<LearnedFlows, 'bridge' | 'when'>): Promise<readonly string[]> => {
  rig = await SwitchRig.start(['br-tun']);
  for (const text of [
    'table=20,priority=1,dl_vlan=1 actions=output:7',
    'table=20,priority=1,dl_vlan=2 actions=output:8',
    'table=21,priority=1,dl_vlan=1 actions=output:7',
  ])
    await install(text, LEARNED_COOKIE);
  await install('table=20,priority=2,dl_vlan=1 actions=output:7', cookieOf('other'));
  const before = rig.flows('br-tun');
  await rig.side.effects('other').deleteLearned({ bridge: 'br-tun', when: 'now', ...which });
  const after = rig.flows('br-tun');
  return before.filter((flow) => !after.includes(flow));
};

describe('deleting what a bridge learned', () => {
  it.each<[string, Omit<LearnedFlows, 'bridge' | 'when'>, readonly number[]]>([
    ['takes all of it', {}, [0, 1, 2]],
    ['takes only what is in the table that is named', { table: 20 }, [0, 1]],
    ['takes only what is in the table and matches', { table: 20, match: { dl_vlan: 1 } }, [0]],
    ['takes only what is in the table and sends to the port', { table: 21, outPort: 7 }, [2]],
    ['takes nothing from another table', { table: 22, outPort: 7 }, []],
  ])('%s, and no plugin’s flow', async (_what, which, expected) => {
    const learned = [
      'table=20,priority=1,dl_vlan=1 actions=output:7',
      'table=20,priority=1,dl_vlan=2 actions=output:8',
      'table=21,priority=1,dl_vlan=1 actions=output:7',
    ];
    expect(await deleted(which)).toEqual(expected.map((index) => learned[index]));
  });

  it('names the table in the log', async () => {
    await deleted({ table: 20 });
    expect(rig.logger.lines.join('\n')).toMatch(/learned flows deleted .*"table":20/);
  });
});
