import { parseFlow, type ReceivedPacket } from '@patchbay/sdk';
import { cookieOf } from '../../../core/switch/cookies';
import { SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;
const told: ReceivedPacket[] = [];

beforeEach(async () => {
  told.length = 0;
  rig = await SwitchRig.start(['br-int']);
  await rig.stated('wiring', 'base', { flows: [parseFlow('br-int', 'table=60,priority=1 actions=CONTROLLER:65535')] });
});

afterEach(() => rig.stop());

const send = (cookie: bigint, table: number) =>
  rig.bridge('br-int').packetIn({
    reason: 1,
    table,
    cookie,
    inPort: 77,
    match: {},
    totalLength: 3,
    frame: Buffer.from([1, 2, 3]),
  });

describe('packets that a flow sends up', () => {
  it('are told to the plugin whose flow it is, and to no other', () => {
    rig.side.packets.subscribe('wiring', { bridge: 'br-int' }, (packet) => told.push(packet));
    rig.side.packets.subscribe('guard', { bridge: 'br-int' }, () => {
      throw new Error('not its flow');
    });
    send(cookieOf('wiring'), 60);
    expect(told).toEqual([
      {
        bridge: 'br-int',
        table: 60,
        inPort: null,
        match: {},
        totalLength: 3,
        bytes: Uint8Array.from([1, 2, 3]),
      },
    ]);
  });

  it('are told by table where one was named, and not after the subscription has ended', () => {
    const end = rig.side.packets.subscribe('wiring', { bridge: 'br-int', table: 60 }, (packet) => told.push(packet));
    send(cookieOf('wiring'), 61);
    expect(told).toEqual([]);
    send(cookieOf('wiring'), 60);
    end();
    send(cookieOf('wiring'), 60);
    expect(told).toHaveLength(1);
  });
});
