import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { StatusReport } from '../../core/host/reports';
import { repository } from '../support/bed-command';
import { startPrivateSwitch } from '../support/private-switch';
import { type BenchPort, WatchedSwitch } from './watched-switch';

export interface RestartFigures {
  readonly ports: number;
  readonly flows: number;
  /** From the start of the process to `onAgentSynced`, in milliseconds. */
  readonly syncedMs: number;
  readonly flowChanges: number;
  readonly rssMiB: number;
  /** The first start's: all ports plugged in one transaction → every flow installed. */
  readonly wiredMs: number;
}

export interface RestartScale {
  readonly ports: number;
  readonly rules: number;
}

/** The agent on the standalone control plane, on a switch with the dummy datapath: wires many ports, stops, and starts again. */
export async function measureRestart({ ports: count, rules }: RestartScale): Promise<RestartFigures> {
  const ovs = await startPrivateSwitch();
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'));
  const ports = benchPorts(count);
  writeFileSync(join(folder, 'networks.yaml'), networksFile(ports, rules));
  writeFileSync(join(folder, 'patchbay.yaml'), configuration(ovs.runDir, folder));
  let agent = new Agent(folder);
  const watched = await WatchedSwitch.open({ runDir: ovs.runDir, interfaceType: 'dummy' });
  try {
    await agent.untilReady();
    const before = performance.now();
    await watched.plug(ports);
    await agent.until((status) => status.ports.up === count && status.switch.pending === 0);
    const wiredMs = performance.now() - before;
    await agent.stop();
    const changes = await watched.countFlowChanges();
    agent = new Agent(folder);
    const syncedMs = await agent.untilReady();
    const { switch: state } = await agent.until((status) => status.ports.up === count);
    await pause(500);
    const rssMiB = agent.rssMiB();
    await agent.stop();
    return { ports: count, flows: state.flows, syncedMs, flowChanges: await changes(), rssMiB, wiredMs };
  } finally {
    await watched.close();
    await agent.stop();
    await ovs.stop();
    rmSync(folder, { recursive: true });
  }
}

function benchPorts(count: number): readonly BenchPort[] {
  return Array.from({ length: count }, (_, index) => {
    const number = index.toString(16).padStart(4, '0');
    return {
      id: `${number}beef-0000-4000-8000-000000000000`,
      macAddress: `fa:16:3e:01:${number.slice(0, 2)}:${number.slice(2)}`,
    };
  });
}

/** Twenty ports on each network, all of one group whose rules admit as many tcp ports, each its own. */
function networksFile(ports: readonly BenchPort[], rules: number): string {
  const networks = Array.from(
    { length: Math.ceil(ports.length / 20) },
    (_, index) => `  net${index}: { type: vxlan, segmentation_id: ${1000 + index} }\n`,
  );
  const lines = ports.map(({ id, macAddress }, index) => {
    const address = `10.${Math.floor(index / 20)}.0.${10 + (index % 20)}`;
    return `  ${id}: { network: net${Math.floor(index / 20)}, mac: "${macAddress}", addresses: [${address}], security_groups: [web] }\n`;
  });
  const admitted = Array.from(
    { length: rules },
    (_, index) =>
      `      - { direction: ingress, protocol: tcp, ports: ${8001 + 2 * index}, remote_prefix: 192.0.2.0/24 }\n`,
  );
  return `networks:\n${networks.join('')}ports:\n${lines.join('')}security_groups:\n  web:\n    rules:\n      - { direction: egress }\n${admitted.join('')}`;
}

function configuration(runDir: string, folder: string): string {
  return `agent:
  host: bench
  datapath_type: netdev
  ovsdb_connection: unix:${runDir}/db.sock
  ovs_run_dir: ${runDir}
  run_dir: ${folder}
  state_dir: ${folder}
control_plane: standalone
plugins:
  - standalone: { networks: ${join(folder, 'networks.yaml')} }
  - replace: anti-spoofing
    with: security-groups
  - tunnels: { local_ip: 127.0.0.1, tunnel_types: [vxlan] }
`;
}

/** `patchbay run` in this process's network, asked through its admin socket. */
class Agent {
  private readonly startedAt = performance.now();
  private readonly child: ChildProcess;
  private readonly socket: string;
  private readonly logFile: string;

  constructor(folder: string) {
    this.socket = join(folder, 'patchbay.sock');
    this.logFile = join(folder, 'agent.log');
    const log = openSync(this.logFile, 'a');
    const program = join(repository, 'core/bin/patchbay');
    this.child = spawn(process.execPath, [program, 'run', '--config', join(folder, 'patchbay.yaml')], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
  }

  /** Milliseconds from the start of the process to its first synchronisation. */
  async untilReady(): Promise<number> {
    await this.poll(async () => (await this.ask('ready')).status === 200, 10);
    return performance.now() - this.startedAt;
  }

  async until(question: (status: StatusReport) => boolean): Promise<StatusReport> {
    let last: StatusReport | undefined;
    await this.poll(async () => {
      last = JSON.parse((await this.ask('status')).text) as StatusReport;
      return question(last);
    }, 250);
    return last as StatusReport;
  }

  rssMiB(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }

  private async poll(isSo: () => Promise<boolean>, everyMs: number): Promise<void> {
    const deadline = performance.now() + 120_000;
    while (performance.now() < deadline && this.child.exitCode === null) {
      if (await isSo().catch(() => false)) return;
      await pause(everyMs);
    }
    throw new Error(`the agent did not get there; its log ends:\n${readFileSync(this.logFile, 'utf8').slice(-2000)}`);
  }

  private ask(path: string): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const request = get(
        { socketPath: this.socket, path: `/${path}`, headers: { connection: 'close' } },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => {
            text += part;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      request.on('error', reject);
    });
  }
}
