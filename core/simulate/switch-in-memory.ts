import type { SwitchReach } from '../host/assembly';
import type { FlowTableMessage } from '../switch/openflow';
import { FakeOpenFlowSwitch } from '../switch/openflow/fake';
import { addBridge, addPort, FakeOvsdbServer, FULL_VSWITCHD } from '../switch/ovsdb/fake';
import { MARKED_MAC, type SimulatedPort } from './messages';

/** Messages that a bridge remembers for tests; here they would only fill memory. */
const REMEMBERED = 256;

class MarkingBridge extends FakeOpenFlowSwitch {
  constructor(
    bridge: string,
    private readonly marked: (macAddress: string) => void,
  ) {
    super(bridge);
  }

  override apply(...words: Parameters<FakeOpenFlowSwitch['apply']>): ReturnType<FakeOpenFlowSwitch['apply']> {
    const changes = super.apply(...words);
    if (this.applied.length > REMEMBERED) this.applied.length = 0;
    const macAddress = addedFor(words[0]);
    if (macAddress?.startsWith(MARKED_MAC)) this.marked(macAddress);
    return changes;
  }
}

function addedFor(message: FlowTableMessage): string | undefined {
  if (message.kind !== 'flow' || message.command !== 'add') return undefined;
  const { eth_dst: wanted } = message.flow.match;
  return typeof wanted === 'string' ? wanted : undefined;
}

/** The switch of a simulated agent: a database with its server and flow tables, in memory. */
export class SwitchInMemory {
  private readonly server = new FakeOvsdbServer({ vswitchd: FULL_VSWITCHD });
  private readonly bridges = new Map<string, FakeOpenFlowSwitch>();

  /** `marked` is told when a flow for a MAC of the simulation took effect. */
  constructor(private readonly marked: (macAddress: string) => void) {}

  get reach(): SwitchReach {
    return {
      ovsdbTarget: () => this.server.connect(),
      connect: async (bridge) => this.bridge(bridge).connect(),
    };
  }

  addBridge(name: string): void {
    addBridge(this.database(), name);
  }

  /** As Nova plugs an instance. */
  plug(bridge: string, { portId, macAddress }: SimulatedPort): void {
    const ids = { 'iface-id': portId, 'attached-mac': macAddress, 'iface-status': 'active', 'vm-uuid': portId };
    const columns = { type: 'internal', external_ids: ['map', Object.entries(ids)] };
    addPort(this.database(), bridge, `tap${portId.slice(0, 11)}`, columns);
  }

  close(): Promise<void> {
    return this.server.close();
  }

  private bridge(name: string): FakeOpenFlowSwitch {
    const known = this.bridges.get(name) ?? new MarkingBridge(name, this.marked);
    this.bridges.set(name, known);
    return known;
  }

  /** Without what the server remembers of requests, for tests. */
  private database(): FakeOvsdbServer['database'] {
    this.server.received.length = 0;
    return this.server.database;
  }
}
