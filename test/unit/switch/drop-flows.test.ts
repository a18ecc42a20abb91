import { parseFlow, printFlow } from '@patchbay/sdk';
import type { SwitchOptions } from '../../../core/switch';
import { FakeOpenFlowSwitch } from '../../../core/switch/openflow/fake';
import { LineLogger, SETTINGS, SwitchRig } from '../../support/switch/rig';

const bridge = new FakeOpenFlowSwitch('br-int');
const dropping = {
  settings: { ...SETTINGS, drop_flows_on_start: true },
  logger: new LineLogger(),
  connect: async () => bridge.connect(),
};
const flow = parseFlow('br-int', 'table=60,priority=1 actions=drop');

let rig: SwitchRig;

async function started(options: Partial<SwitchOptions>): Promise<void> {
  await bridge.connect().send([{ kind: 'flow', command: 'add', flow, cookie: 7n }]);
  rig = await SwitchRig.start(['br-int'], { ...dropping, ...options });
}

const flows = () => bridge.table.all().map((installed) => printFlow(installed.decode()));

afterEach(() => rig.stop());

describe('flows that are to be dropped at the start', () => {
  it('are, once', async () => {
    await started({});
    expect(flows()).toEqual([]);
    await bridge.connect().send([{ kind: 'flow', command: 'add', flow, cookie: 7n }]);
    rig.side.compareAll('test');
    await rig.quiet();
    expect(flows()).toHaveLength(1);
  });

  it('are not by one who only plans', async () => {
    await started({ mode: 'watching' });
    expect(flows()).toHaveLength(1);
  });
});
