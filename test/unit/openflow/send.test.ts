import { flow } from '@patchbay/sdk';
import type { Channel } from '../../../core/switch/openflow/channel';
import type { FlowTableMessage } from '../../../core/switch/openflow/client';
import { OF14, OFPT } from '../../../core/switch/openflow/messages/header';
import { Requests } from '../../../core/switch/openflow/requests';
import { bundleMessages } from '../../../core/switch/openflow/send';

afterEach(() => jest.restoreAllMocks());

/** A channel to a switch that says yes to everything. */
class Agreeing {
  readonly version = OF14;
  readonly requests = new Requests();
  readonly written: Buffer[] = [];
  write = async (bytes: Buffer): Promise<void> => void this.written.push(bytes);
  request = async (): Promise<Buffer> => Buffer.alloc(8);
}

test('a bundle of many flows lets others have the event loop in between, and all of it is sent, in order', async () => {
  const channel = new Agreeing();
  let now = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => (now += 6));
  const messages = Array.from({ length: 500 }, (_, priority): FlowTableMessage => {
    return { kind: 'flow', command: 'add', flow: flow({ bridge: 'br-int', priority }), cookie: 1n };
  });
  let turns = 0;
  const count = () => {
    turns += 1;
    if (turns < 1000) setImmediate(count);
  };
  setImmediate(count);

  await bundleMessages(channel as unknown as Channel, () => undefined, 1, messages);

  expect(turns).toBeGreaterThan(1);
  turns = 1000;
  const all = Buffer.concat(channel.written);
  const priorities: number[] = [];
  for (let at = 0; at < all.length; at += all.readUInt16BE(at + 2)) {
    expect(all[at + 1]).toBe(OFPT.BUNDLE_ADD_MESSAGE);
    // OpenFlow 1.4.1: the message in it begins after 16 bytes, and a flow's priority is 30 bytes further (7.3.9.6, 7.3.4.1).
    priorities.push(all.readUInt16BE(at + 16 + 30));
  }
  expect(priorities).toEqual(messages.map((_, priority) => priority));
});
