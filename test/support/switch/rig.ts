import { type BridgeRecord, type DesiredRecords, type KeyProgress, type Logger, printFlow } from '@patchbay/sdk';
import type { DesiredChange } from '../../../core/kernel/desired-port';
import {
  createSwitch,
  type ListedPlugin,
  type Switch,
  type SwitchOptions,
  type SwitchSettings,
} from '../../../core/switch';
import { FakeOpenFlowSwitch } from '../../../core/switch/openflow/fake';
import { addBridge, addPort, deletePort, FakeOvsdbServer, FULL_VSWITCHD } from '../../../core/switch/ovsdb/fake';

export const SETTINGS: SwitchSettings = {
  integration_bridge: 'br-int',
  tunnel_bridge: 'br-tun',
  ovsdb_connection: 'unix:/nowhere',
  ovsdb_timeout: 5,
  ssl_key_file: null,
  ssl_cert_file: null,
  ssl_ca_cert_file: null,
  openflow_connections: {},
  of_connect_timeout: 5,
  of_inactivity_probe: 10,
  drop_flows_on_start: false,
  ovs_run_dir: '/run/openvswitch',
  resync_interval: 0,
  drift: 'repair',
};

/** Plugins of the tests: `wiring` states gates, `guard` is required, `other` comes last. */
export const PLUGINS: readonly ListedPlugin[] = [
  { id: 'wiring', required: false, claims: [{ bridge: 'integration', tables: [0, 60] }] },
  { id: 'guard', required: true, claims: [{ bridge: 'integration', tables: [24, 25] }] },
  {
    id: 'other',
    required: false,
    claims: [
      { bridge: 'provider', tables: [0] },
      { bridge: 'tunnel', tables: 'all' },
    ],
  },
];

/** br-int as the agent makes it, on the userspace datapath. */
export const OWN_BRIDGE: BridgeRecord = {
  name: 'br-int',
  presence: 'create',
  failMode: 'secure',
  datapathType: 'netdev',
  protocols: ['OpenFlow10', 'OpenFlow13', 'OpenFlow14'],
};

export class LineLogger implements Logger {
  readonly lines: string[] = [];
  readonly debug = (sentence: string) => this.note('debug', sentence);
  readonly info = (sentence: string, fields?: object) => this.note('info', sentence, fields);
  readonly warn = (sentence: string, fields?: object) => this.note('warn', sentence, fields);
  readonly error = (sentence: string, fields?: object) => this.note('error', sentence, fields);

  private note(level: string, sentence: string, fields: object = {}): void {
    this.lines.push(
      `${level} ${sentence} ${JSON.stringify(fields, (_key, value) => (typeof value === 'bigint' ? `${value}` : value))}`,
    );
  }
}

/** The switch side on a database and bridges in memory. */
export class SwitchRig {
  readonly logger = new LineLogger();
  readonly bridges = new Map<string, FakeOpenFlowSwitch>();
  readonly server: FakeOvsdbServer;
  side: Switch;

  private constructor(private readonly options: Partial<SwitchOptions>) {
    this.server = new FakeOvsdbServer({ vswitchd: FULL_VSWITCHD });
    this.side = this.make();
  }

  /** Starts with these bridges there. */
  static async start(bridges: readonly string[], options: Partial<SwitchOptions> = {}): Promise<SwitchRig> {
    const rig = new SwitchRig(options);
    for (const bridge of bridges) rig.addBridge(bridge);
    await rig.side.start();
    rig.side.beginWriting();
    await rig.quiet();
    return rig;
  }

  bridge(name: string): FakeOpenFlowSwitch {
    let bridge = this.bridges.get(name);
    if (bridge === undefined) {
      bridge = new FakeOpenFlowSwitch(name);
      this.bridges.set(name, bridge);
    }
    return bridge;
  }

  /** A second agent on the same switch, after the first has stopped. */
  async restart(): Promise<void> {
    await this.side.stop();
    this.side = this.make();
    await this.side.start();
    this.side.beginWriting();
    await this.quiet();
  }

  state(plugin: string, key: string, records: DesiredRecords | null): void {
    this.apply([{ plugin, key, records }]);
  }

  apply(changes: readonly DesiredChange[]): void {
    this.side.store.apply(changes, 'test');
  }

  async stated(plugin: string, key: string, records: DesiredRecords | null): Promise<KeyProgress> {
    this.state(plugin, key, records);
    return this.side.store.progress(plugin, key);
  }

  completeAll(): void {
    for (const { id } of this.options.plugins ?? PLUGINS) this.side.store.complete(id);
  }

  /** Waits until neither the database nor the reconciler has anything under way. */
  async quiet(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await this.side.settled();
    }
  }

  /** Waits, for as long as the test may take, until that is so and nothing is under way. */
  async until(isSo: () => boolean): Promise<void> {
    do await this.quiet();
    while (!isSo());
  }

  flows(bridge: string): string[] {
    return this.bridge(bridge)
      .table.all()
      .map((flow) => printFlow(flow.decode()))
      .sort();
  }

  addBridge(name: string, controllers: readonly string[] = []): void {
    const rows = controllers.map((target, index) => ({
      op: 'insert',
      table: 'Controller',
      'uuid-name': `c${index}`,
      row: { target },
    }));
    const references = rows.map((row) => ['named-uuid', row['uuid-name']]);
    addBridge(this.server.database, name, { fail_mode: 'secure', controller: ['set', references] }, rows);
  }

  /** Plugs a VIF, as Nova would. */
  plug(name: string, bridge = 'br-int', type = ''): void {
    addPort(this.server.database, bridge, name, { type });
  }

  unplug(name: string): void {
    deletePort(this.server.database, name);
  }

  row(table: string, name: string): Readonly<Record<string, unknown>> | undefined {
    return [...this.server.database.rows(table)].find((row) => row.name === name);
  }

  transact(operations: readonly Record<string, unknown>[]): unknown {
    return this.server.database.transact(
      operations,
      () => true,
      () => undefined,
    );
  }

  async stop(): Promise<void> {
    await this.side.stop();
    await this.server.close();
  }

  private make(): Switch {
    return createSwitch({
      settings: SETTINGS,
      logger: this.logger,
      plugins: PLUGINS,
      ovsdbTarget: () => this.server.connect(),
      connect: async (bridge) => this.bridge(bridge).connect(),
      ...this.options,
    });
  }
}
