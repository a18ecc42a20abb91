import {
  type AgentIdentity,
  type AllottedTables,
  type DesiredState,
  type Effects,
  flow,
  type PacketIns,
  type Plugin,
  plugin,
  type ReceivedPacket,
  resubmit,
  Service,
  toController,
  use,
} from '@patchbay/sdk';
import { Kit } from '@patchbay/testing';

jest.setTimeout(120_000);

const told: ReceivedPacket[] = [];

/** Sends itself a packet through its own table. */
@plugin({
  id: 'acme-echo',
  summary: 'Hears what its own flow sends up',
  sdk: '^1.0.0',
  tables: [{ bridge: 'integration', name: 'echo' }],
  onFailure: 'degrade',
})
class Echo implements Plugin {
  constructor(
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.tables) private readonly tables: AllottedTables,
    @use(Service.desired) private readonly desired: DesiredState,
    @use(Service.packetIns) private readonly packetIns: PacketIns,
    @use(Service.effects) readonly effects: Effects,
  ) {
    echo = this;
  }

  start(): void {
    const bridge = this.identity.integrationBridge;
    const table = this.tables.echo ?? 0;
    this.desired.set('echo', { flows: [flow({ bridge, table, priority: 1, actions: [toController()] })] });
    this.packetIns.subscribe({ bridge, table }, (packet) => {
      told.push(packet);
    });
  }

  send(bytes: Uint8Array, inPort: string): Promise<void> {
    const bridge = this.identity.integrationBridge;
    const actions = [resubmit(this.tables.echo ?? 0)];
    return this.effects.packetOut({ bridge, inPort: { port: inPort }, actions, bytes });
  }
}

let echo: Echo | undefined;
let kit: Kit;

afterEach(() => kit.stop());

it('a packet that a flow of the plugin’s sends up on a real Open vSwitch is told to it, with the port it came in by', async () => {
  kit = await Kit.start({ plugins: [Echo], switch: 'ovs' });
  await kit.plug({ name: 'tap1' });
  const frame = Uint8Array.from([...Buffer.from('ffffffffffff020000000001080600', 'hex'), ...Array(45).fill(7)]);
  await echo?.send(frame, 'tap1');
  for (let attempt = 0; attempt < 3_000 && told.length === 0; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(told).toEqual([
    expect.objectContaining({ bridge: 'br-int', table: 100, inPort: 'tap1', totalLength: 60, bytes: frame }),
  ]);
});
