import {
  defaultSettings,
  FakeOpenFlowSwitch,
  FakeOvsdbServer,
  FULL_VSWITCHD,
  type InstalledFlow,
  type Switch,
} from '@patchbay/agent/testing';
import type { Backend, PluggedPort, SwitchReach } from './backend';

type Operation = Readonly<Record<string, unknown>>;

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
    this.transact([
      { op: 'insert', table: 'Interface', 'uuid-name': 'face', row: { name, type: 'internal' } },
      { op: 'insert', table: 'Port', 'uuid-name': 'port', row: { name, interfaces: ['named-uuid', 'face'] } },
      {
        op: 'insert',
        table: 'Bridge',
        'uuid-name': 'bridge',
        row: { name, ports: ['named-uuid', 'port'], fail_mode: 'secure' },
      },
      { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['bridges', 'insert', ['named-uuid', 'bridge']]] },
    ]);
  }

  async plug({ name, bridge = 'br-int', externalIds = {} }: PluggedPort): Promise<void> {
    const row = { name, type: 'internal', external_ids: ['map', Object.entries(externalIds)] };
    this.transact([
      { op: 'insert', table: 'Interface', 'uuid-name': 'face', row },
      { op: 'insert', table: 'Port', 'uuid-name': 'port', row: { name, interfaces: ['named-uuid', 'face'] } },
      {
        op: 'mutate',
        table: 'Bridge',
        where: [['name', '==', bridge]],
        mutations: [['ports', 'insert', ['named-uuid', 'port']]],
      },
    ]);
  }

  async unplug(name: string): Promise<void> {
    const row = [...this.server.database.rows('Port')].find((port) => port.name === name);
    this.transact([
      { op: 'mutate', table: 'Bridge', where: [], mutations: [['ports', 'delete', ['uuid', row?._uuid]]] },
    ]);
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

  private transact(operations: readonly Operation[]): void {
    this.server.database.transact(
      operations,
      () => true,
      () => undefined,
    );
  }
}
