import { FakeOpenFlowSwitch } from '../../../core/switch/openflow/fake';
import { SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

beforeEach(async () => {
  rig = await SwitchRig.start(['br-int']);
});

afterEach(() => rig.stop());

const logged = (sentence: string) => rig.logger.lines.filter((line) => line.includes(sentence));

it('a packet that is sent out is a line of the debug log', async () => {
  await rig.side
    .effects('guest')
    .packetOut({ bridge: 'br-int', actions: [{ type: 'output', port: 'LOCAL' }], bytes: new Uint8Array(60) });
  expect(logged('packet sent out')).toEqual([expect.stringMatching(/^debug /)]);
});

it('connections that could not be flushed are not said to be', async () => {
  await expect(rig.side.effects('guest').flushConntrack(7)).rejects.toThrow();
  expect(logged('connections flushed')).toEqual([]);
});

it('connections are said to be flushed once they are', async () => {
  const flushed: number[] = [];
  const flushing = { flushConntrackZone: async (zone: number) => void flushed.push(zone) };
  await rig.stop();
  rig = await SwitchRig.start(['br-int'], {
    connect: async (bridge) => Object.assign(new FakeOpenFlowSwitch(bridge).connect(), flushing),
  });
  await rig.side.effects('guest').flushConntrack(7);
  expect(flushed).toEqual([7]);
  expect(logged('connections flushed')).toEqual([expect.stringMatching(/^info .*"zone":7/)]);
});
