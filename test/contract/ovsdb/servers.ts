import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeOvsdbServer } from '../../../core/switch/ovsdb/fake';

/** The schema that the package openvswitch-switch installs. */
export const INSTALLED_SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

/** A server of its own for a test, empty but for the one row of Open_vSwitch. */
export interface TestServer {
  readonly target: string;
  /** Ends all sessions; the server is back at the same place when it resolves. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Which program to test against. `clustered` keeps a history, which only the server of a cluster does. */
export type ServerKind = 'fake' | 'standalone' | 'clustered';

export async function startServer(kind: ServerKind): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'ovsdb-contract-'));
  const socket = join(directory, 'db.sock');
  const target = `unix:${socket}`;
  if (kind === 'fake') {
    const fake = new FakeOvsdbServer();
    await fake.listen(socket);
    return {
      target,
      restart: async () => fake.dropSessions(),
      close: async () => {
        await fake.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  }
  const database = join(directory, 'conf.db');
  if (kind === 'standalone') tool(['create', database, INSTALLED_SCHEMA]);
  else {
    tool(['create', `${database}.plain`, INSTALLED_SCHEMA]);
    tool(['create-cluster', database, `${database}.plain`, `unix:${join(directory, 'raft.sock')}`]);
  }
  let child = await startProcess(directory, database, socket);
  return {
    target,
    restart: async () => {
      await endProcess(child);
      child = await startProcess(directory, database, socket);
    },
    close: async () => {
      await endProcess(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function tool(args: readonly string[]): void {
  try {
    execFileSync('ovsdb-tool', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (cause) {
    throw new Error('ovsdb-tool cannot be run: install openvswitch-switch to run the contract tests', { cause });
  }
}

/** Resolves when the server takes connections: it makes its control socket last. */
function startProcess(directory: string, database: string, socket: string): Promise<ChildProcess> {
  const control = join(directory, 'ctl');
  rmSync(control, { force: true });
  const args = [database, `--remote=punix:${socket}`, `--unixctl=${control}`, '-vconsole:info', '-vsyslog:off'];
  const child = spawn('ovsdb-server', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, OVS_RUNDIR: directory, OVS_LOGDIR: directory, OVS_DBDIR: directory },
  });
  return new Promise((resolve, reject) => {
    let said = '';
    child.once('error', (cause) =>
      reject(new Error('ovsdb-server cannot be run: install openvswitch-switch to run the contract tests', { cause })),
    );
    child.once('exit', (code) => reject(new Error(`ovsdb-server ended with ${code}: ${said}`)));
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      // Printed once the remotes are open and the main loop is about to begin.
      if (said.includes('ovsdb-server (Open vSwitch)')) resolve(child);
    });
  });
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await ended;
}
