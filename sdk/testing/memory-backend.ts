import {
  addBridge,
  addPort,
  defaultSettings,
  deletePort,
  FakeOpenFlowSwitch,
  FakeOvsdbServer,
  FULL_VSWITCHD,
  type InstalledFlow,
  type Switch,
} from '@patchbay/agent/testing';
import type { Backend, PacketSentUp, PluggedPort, SwitchReach } from './backend';

/** A switch in memory: a database with its server, and a flow table for each bridge. */
export class MemoryBackend implements Backend {
  readonly kind = 'memory';
  readonly server = new FakeOvsdbServer({ vswitchd: FULL_VSWITCHD });
  private readonly bridges = new Map<string, FakeOpenFlowSwitch>();

  get reach(): SwitchReach {
    return {
      settings: { ...defaultSettings(), ovsdb_connection: 'unix:/nowhere', resync_interval: 0 },
      more: {
        ovsdbTarget: () => this.server.connect(),
        connect: async (bridge) => this.bridge(bridge).connect(),
      },
    };
  }

  /** The flow tables of a bridge: they can be made to refuse, to lose their connections, or to send packets up. */
  bridge(name: string): FakeOpenFlowSwitch {
    const known = this.bridges.get(name) ?? new FakeOpenFlowSwitch(name);
    this.bridges.set(name, known);
    return known;
  }

  async addBridge(name: string): Promise<void> {
    addBridge(this.server.database, name, { fail_mode: 'secure' });
  }

  async plug({ name, bridge = 'br-int', externalIds = {} }: PluggedPort): Promise<void> {
    addPort(this.server.database, bridge, name, {
      type: 'internal',
      external_ids: ['map', Object.entries(externalIds)],
    });
  }

  async unplug(name: string): Promise<void> {
    deletePort(this.server.database, name);
  }

  async packetIn({ bridge, table, bytes, inPort, cookie }: PacketSentUp, side: Switch): Promise<void> {
    const ports = await side.view.ports(bridge);
    this.bridge(bridge).packetIn({
      reason: 1,
      table,
      cookie,
      inPort: ports.find(({ name }) => name === inPort)?.interfaces[0]?.ofport ?? 0,
      match: {},
      totalLength: bytes.length,
      frame: Buffer.from(bytes),
    });
  }

  async restart(): Promise<void> {
    for (const bridge of this.bridges.values()) bridge.restart();
  }

  async installed(bridge: string): Promise<readonly InstalledFlow[]> {
    return this.bridge(bridge).table.all();
  }

  async quiet(side: Switch): Promise<void> {
    // Database, connection and round take a turn of the event loop each, and one may wake the other.
    for (let turn = 0; turn < 8; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await side.settled();
    }
  }

  async stop(): Promise<void> {
    await this.server.close();
  }
}
