import { setTimeout as pause } from 'node:timers/promises';
import { parseFlow } from '@patchbay/sdk';
import { OpenFlowConnectionError } from '../../../core/switch/openflow';
import { FakeOpenFlowSwitch } from '../../../core/switch/openflow/fake';
import { SwitchRig } from '../../support/switch/rig';

test('a bridge whose connection ends with every bundle is connected again after a pause, and wired once it holds', async () => {
  const bridge = new FakeOpenFlowSwitch('br-int');
  let connections = 0;
  let mends = false;
  const rig = await SwitchRig.start(['br-int'], {
    connect: async () => {
      connections += 1;
      const client = bridge.connect();
      const bundle = client.bundle.bind(client);
      client.bundle = async (messages) => {
        if (!mends && messages.length > 0) throw new OpenFlowConnectionError('the connection is lost');
        await bundle(messages);
      };
      return client;
    },
  });
  rig.state('wiring', 'bridge', {
    bridges: [{ name: 'br-int', presence: 'create' }],
    flows: [parseFlow('br-int', 'table=0,priority=0 actions=drop')],
  });
  await pause(5);
  expect(connections).toBeLessThanOrEqual(2);
  mends = true;
  while (bridge.table.all().length === 0) await pause(5);
  await rig.quiet();
  expect(await rig.side.store.progress('wiring', 'bridge')).toEqual({ state: 'applied' });
  await rig.stop();
});
