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
import type { FlowTableClient } from '../../../core/switch/openflow';
import { FakeOpenFlowSwitch } from '../../../core/switch/openflow/fake';
import { addPort, deletePort, FakeOvsdbServer, FULL_VSWITCHD } from '../../../core/switch/ovsdb/fake';
import { Mortality } from './mortality';

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
  /** Called after each write to the switch. */
  wrote: (what: string) => void = () => undefined;
  private readonly mortality = new Mortality({ died: () => this.buried(), wrote: (what) => this.wrote(what) });
  private readonly server = new FakeOvsdbServer({ vswitchd: FULL_VSWITCHD });
  private readonly bridges = new Map<string, FakeOpenFlowSwitch>();
  private readonly folder = mkdtempSync(join(tmpdir(), 'patchbay-mortal-'));
  private lives = 0;
  private host: Host | undefined;

  constructor() {
    mkdirSync(this.stateDir);
    this.mortality.watchDatabase(this.server);
  }

  /** Writes to the switch since `dieAfter`. */
  get writes(): number {
    return this.mortality.writes;
  }

  /** Starts an agent that reads these networks, in place of one that runs or died. Resolves when it has nothing left to do. */
  async start(networks: string): Promise<void> {
    await this.end();
    writeFileSync(join(this.folder, 'networks.yaml'), networks);
    this.host = createHost(...this.configuration(), stock, {
      ovsdbTarget: () => (this.mortality.isDead ? silence() : this.server.connect()),
      connect: async (bridge) => this.connect(bridge),
    });
    await this.host.start();
    await this.untilIdle();
  }

  /** The agent dies after that many writes from now. */
  dieAfter(writes: number): void {
    this.mortality.dieAfter(writes);
  }

  /** Resolves when the agent has nothing left to do, or is dead. */
  async untilIdle(): Promise<void> {
    for (let calm = 0; calm < 4 && !this.mortality.isDead; ) {
      const before = this.writes;
      await pause(5);
      const { ready, switch: side, ports } = (await this.host?.reports.status()) ?? {};
      const isBusy = ready !== true || side?.pending !== 0 || (ports?.wiring ?? 0) + (ports?.describing ?? 0) > 0;
      calm = isBusy || this.writes !== before ? 0 : calm + 1;
    }
  }

  plug(port: PluggedPort): void {
    const ids = { 'iface-id': port.id, 'attached-mac': port.macAddress, 'iface-status': 'active', 'vm-uuid': port.id };
    const columns = { type: 'internal', external_ids: ['map', Object.entries(ids)] };
    addPort(this.server.database, 'br-int', nameOf(port), columns);
  }

  unplug(port: PluggedPort): void {
    deletePort(this.server.database, nameOf(port));
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
    this.mortality.die();
    await this.host.stop();
    await pause(1);
    this.host = undefined;
    this.dieAfter(Number.POSITIVE_INFINITY);
  }

  /** What it goes on to keep, it keeps where its successor does not look. */
  private buried(): void {
    const former = this.stateDir;
    this.lives += 1;
    cpSync(former, this.stateDir, { recursive: true });
    setImmediate(() => this.server.dropSessions());
  }

  private connect(bridge: string): FlowTableClient {
    const known = this.bridges.get(bridge) ?? new FakeOpenFlowSwitch(bridge);
    this.bridges.set(bridge, known);
    return this.mortality.watchClient(known.connect(), bridge);
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
}
