import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An ovsdb-server and an ovs-vswitchd with the dummy datapath, in a directory of their own; needs no privileges. */
export interface PrivateSwitch {
  /** Where `<bridge>.mgmt` sockets are. */
  readonly runDir: string;
  readonly dbSocket: string;
  /** Each resolves with the command's standard output. */
  vsctl(...words: string[]): Promise<string>;
  ofctl(...words: string[]): Promise<string>;
  appctl(...words: string[]): Promise<string>;
  /** ovs-vswitchd ends at once and is started again: the database has everything still, the tables nothing. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const NOT_INSTALLED =
  'there is no Open vSwitch to test on: ovsdb-tool was not found. Install openvswitch-switch; it need not run';

async function appears(path: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (existsSync(path)) return;
    if (child.exitCode !== null) break;
    await pause(25);
  }
  throw new Error(`${child.spawnfile} did not make ${path}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

/**
 * Starts a switch. Stop it: its processes are children of the test. `dummies`: every port is one, of whatever type; or only those that say
 * so, on bridges of the datapath type `dummy`, so that tunnels are tunnels.
 */
export async function startPrivateSwitch({
  dummies = 'all',
}: {
  readonly dummies?: 'all' | 'as typed';
} = {}): Promise<PrivateSwitch> {
  const runDir = mkdtempSync(join(tmpdir(), 'patchbay-switch-'));
  const env = {
    ...process.env,
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
    OVS_RUNDIR: runDir,
    OVS_DBDIR: runDir,
    OVS_LOGDIR: runDir,
    OVS_SYSCONFDIR: runDir,
  };
  const options = { env, maxBuffer: 256 * 1024 * 1024 };
  const dbSocket = join(runDir, 'db.sock');
  const database = join(runDir, 'conf.db');
  await run('ovsdb-tool', ['create', database, '/usr/share/openvswitch/vswitch.ovsschema'], options).catch((error) => {
    rmSync(runDir, { recursive: true, force: true });
    throw error.code === 'ENOENT' ? new Error(NOT_INSTALLED) : error;
  });
  const control = (name: string) => join(runDir, `${name}.ctl`);
  const daemon = (name: string, ...words: string[]) => {
    const all = [name, ...words, '--no-chdir', `--unixctl=${control(name)}`, '-vconsole:off', '-vsyslog:off'];
    // They end with the process that started them, however that one ends: prctl(2), PR_SET_PDEATHSIG.
    return spawn('setpriv', ['--pdeathsig', 'KILL', ...all], { env, stdio: 'ignore' });
  };
  const server = daemon('ovsdb-server', database, `--remote=punix:${dbSocket}`);
  await appears(dbSocket, server);
  await run('ovs-vsctl', [`--db=unix:${dbSocket}`, '--no-wait', 'init'], options);
  const startVswitchd = async (): Promise<ChildProcess> => {
    const child = daemon(
      'ovs-vswitchd',
      `unix:${dbSocket}`,
      dummies === 'all' ? '--enable-dummy=override' : '--enable-dummy',
      '--disable-system',
    );
    await appears(control('ovs-vswitchd'), child);
    return child;
  };
  let vswitchd = await startVswitchd();
  const tool =
    (name: string, ...first: string[]) =>
    async (...words: string[]) =>
      (await run(name, [...first, ...words], options)).stdout;
  return {
    runDir,
    dbSocket,
    vsctl: tool('ovs-vsctl', `--db=unix:${dbSocket}`),
    ofctl: tool('ovs-ofctl'),
    appctl: tool('ovs-appctl', '-t', control('ovs-vswitchd')),
    restart: async () => {
      await ended(vswitchd);
      rmSync(control('ovs-vswitchd'), { force: true });
      vswitchd = await startVswitchd();
    },
    stop: async () => {
      await ended(vswitchd);
      await ended(server);
      rmSync(runDir, { recursive: true, force: true });
    },
  };
}
