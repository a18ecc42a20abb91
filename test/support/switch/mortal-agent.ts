import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { printFlow } from '@patchbay/sdk';
import { createHost } from '../../../core/host/agent-host';
import { loadConfiguration } from '../../../core/host/configuration';
import type { Host } from '../../../core/host/host';
import { stock } from '../../../core/main';
import { type FlowTableClient, OpenFlowConnectionError } from '../../../core/switch/openflow';
import { FakeOpenFlowSwitch } from '../../../core/switch/openflow/fake';
import { FakeOvsdbServer, FULL_VSWITCHD } from '../../../core/switch/ovsdb/fake';

export interface PluggedPort {
  readonly id: string;
  readonly macAddress: string;
}

export const nameOf = ({ id }: PluggedPort): string => `tap${id.slice(0, 11)}`;

/** What the dead reach: it takes everything and says nothing. */
const silence = (): Duplex => new Duplex({ read: () => undefined, write: (_chunk, _encoding, taken) => taken() });

/**
 * The whole agent on the standalone control plane with security groups, on a switch in memory, and mortal: after so many writes to the
 * switch nothing that it does has any effect, on the switch or on its files, as if it had been killed.
 */
export class MortalAgent {
  /** Writes to the switch since `dieAfter`. */
  writes = 0;
  /** Called after each. */
  wrote: (what: string) => void = () => undefined;
  private readonly server = new FakeOvsdbServer({ vswitchd: FULL_VSWITCHD });
  private readonly bridges = new Map<string, FakeOpenFlowSwitch>();
  private readonly folder = mkdtempSync(join(tmpdir(), 'patchbay-mortal-'));
  private lives = 0;
  private left = Number.POSITIVE_INFINITY;
  private isDead = false;
  private host: Host | undefined;

  constructor() {
    mkdirSync(this.stateDir);
    const { database } = this.server;
    const transact = database.transact.bind(database);
    database.transact = (operations, ...rest) => {
      // Every write of an agent is under the lock; what a test does is not.
      const isWrite = operations.some((operation) => (operation as { readonly op: string }).op === 'assert');
      if (isWrite && !this.survives()) return;
      transact(operations, ...rest);
      if (isWrite) this.wrote('a transaction');
    };
  }

  /** Starts an agent that reads these networks, in place of one that runs or died. Resolves when it has nothing left to do. */
  async start(networks: string): Promise<void> {
    await this.end();
    writeFileSync(join(this.folder, 'networks.yaml'), networks);
    this.host = createHost(...this.configuration(), stock, {
      ovsdbTarget: () => (this.isDead ? silence() : this.server.connect()),
      connect: async (bridge) => this.connect(bridge),
    });
    await this.host.start();
    await this.untilIdle();
  }

  /** The agent dies after that many writes from now. */
  dieAfter(writes: number): void {
    this.left = writes;
    this.writes = 0;
  }

  /** Resolves when the agent has nothing left to do, or is dead. */
  async untilIdle(): Promise<void> {
    for (let calm = 0; calm < 4 && !this.isDead; ) {
      const before = this.writes;
      await pause(5);
      const { ready, switch: side, ports } = (await this.host?.reports.status()) ?? {};
      const isBusy = ready !== true || side?.pending !== 0 || (ports?.wiring ?? 0) + (ports?.describing ?? 0) > 0;
      calm = isBusy || this.writes !== before ? 0 : calm + 1;
    }
  }

  plug(port: PluggedPort): void {
    const name = nameOf(port);
    const ids = { 'iface-id': port.id, 'attached-mac': port.macAddress, 'iface-status': 'active', 'vm-uuid': port.id };
    const row = { name, type: 'internal', external_ids: ['map', Object.entries(ids)] };
    this.transact([
      { op: 'insert', table: 'Interface', 'uuid-name': 'face', row },
      { op: 'insert', table: 'Port', 'uuid-name': 'port', row: { name, interfaces: ['named-uuid', 'face'] } },
      {
        op: 'mutate',
        table: 'Bridge',
        where: [['name', '==', 'br-int']],
        mutations: [['ports', 'insert', ['named-uuid', 'port']]],
      },
    ]);
  }

  unplug(port: PluggedPort): void {
    const uuid = this.row('Port', nameOf(port))?._uuid;
    this.transact([{ op: 'mutate', table: 'Bridge', where: [], mutations: [['ports', 'delete', ['uuid', uuid]]] }]);
  }

  row(table: string, name: string): Readonly<Record<string, unknown>> | undefined {
    return [...this.server.database.rows(table)].find((row) => row.name === name);
  }

  flows(bridge: string): readonly string[] {
    const flows = this.bridges.get(bridge)?.table.all() ?? [];
    return flows.map((flow) => printFlow(flow.decode(), flow.cookie)).sort();
  }

  async stop(): Promise<void> {
    await this.end();
    await this.server.close();
    rmSync(this.folder, { recursive: true });
  }

  private get stateDir(): string {
    return join(this.folder, `life${this.lives}`);
  }

  private async end(): Promise<void> {
    if (this.host === undefined) return;
    if (!this.isDead) this.die();
    await this.host.stop();
    await pause(1);
    this.host = undefined;
    this.isDead = false;
    this.dieAfter(Number.POSITIVE_INFINITY);
  }

  private survives(): boolean {
    if (this.isDead) return false;
    if (this.left <= 0) {
      this.die();
      return false;
    }
    this.left -= 1;
    this.writes += 1;
    return true;
  }

  /** What it goes on to keep, it keeps where its successor does not look. */
  private die(): void {
    this.isDead = true;
    const former = this.stateDir;
    this.lives += 1;
    cpSync(former, this.stateDir, { recursive: true });
    setImmediate(() => this.server.dropSessions());
  }

  private connect(bridge: string): FlowTableClient {
    const known = this.bridges.get(bridge) ?? new FakeOpenFlowSwitch(bridge);
    this.bridges.set(bridge, known);
    const client = known.connect();
    for (const name of ['bundle', 'send'] as const) {
      const act = client[name].bind(client);
      client[name] = async (messages) => {
        if (messages.length > 0 && !this.survives()) throw new OpenFlowConnectionError('the agent is dead');
        await act(messages);
        if (messages.length > 0) this.wrote(`a ${name} on ${bridge}`);
      };
    }
    return client;
  }

  private configuration(): Parameters<typeof createHost> extends [infer Read, infer Directory, ...unknown[]]
    ? [Read, Directory]
    : never {
    const config = join(this.folder, 'patchbay.yaml');
    writeFileSync(
      config,
      `agent:
  host: mortal
  ovsdb_connection: unix:/nowhere
  state_dir: ${this.stateDir}
  run_dir: ${this.folder}
  resync_interval: 0
control_plane: standalone
plugins:
  - standalone: { networks: ${join(this.folder, 'networks.yaml')} }
  - replace: anti-spoofing
    with: security-groups
`,
    );
    const loaded = loadConfiguration({ config, sources: [], commandLine: {}, acceptMissing: [] }, stock);
    const [problem] = loaded.problems;
    if (loaded.configuration === undefined) throw problem ?? new Error('there is no configuration');
    const { settings } = loaded.configuration;
    const logging = { ...settings.logging, log_file: join(this.folder, 'agent.log'), use_stderr: false };
    return [{ ...loaded.configuration, settings: { ...settings, logging } }, loaded.directory];
  }

  private transact(operations: readonly Readonly<Record<string, unknown>>[]): void {
    this.server.database.transact(
      operations,
      () => true,
      () => undefined,
    );
  }
}
