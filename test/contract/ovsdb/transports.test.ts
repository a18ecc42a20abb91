import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OvsdbClient, type TlsFiles } from '../../../core/switch/ovsdb';
import { INSTALLED_SCHEMA } from './servers';

describe('ovsdb-server over the network', () => {
  let directory: string;
  let child: ChildProcess;
  let ports: { readonly tcp: number; readonly ssl: number };
  const clients: OvsdbClient[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ovsdb-transports-'));
    makeCertificates(directory);
    execFileSync('ovsdb-tool', ['create', join(directory, 'conf.db'), INSTALLED_SCHEMA]);
    child = spawn(
      'ovsdb-server',
      [
        join(directory, 'conf.db'),
        '--remote=ptcp:0:127.0.0.1',
        '--remote=pssl:0:127.0.0.2',
        `--private-key=${join(directory, 'server.key')}`,
        `--certificate=${join(directory, 'server.pem')}`,
        `--ca-cert=${join(directory, 'ca.pem')}`,
        `--unixctl=${join(directory, 'ctl')}`,
        '-vconsole:info',
        '-vsyslog:off',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, OVS_RUNDIR: directory, OVS_DBDIR: directory } },
    );
    ports = await listeningPorts(child);
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.stop();
  });

  afterAll(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });

  function newClient(target: string, tls?: TlsFiles): OvsdbClient {
    const client = new OvsdbClient({ target, tables: { Open_vSwitch: 'all' }, ...(tls === undefined ? {} : { tls }) });
    clients.push(client);
    client.start();
    return client;
  }

  function files(name: string): TlsFiles {
    return {
      privateKey: join(directory, `${name}.key`),
      certificate: join(directory, `${name}.pem`),
      caCertificate: join(directory, 'ca.pem'),
    };
  }

  it('is reached by tcp', async () => {
    const client = newClient(`tcp:127.0.0.1:${ports.tcp}`);
    await client.ready();
    expect(await client.listDatabases()).toContain('Open_vSwitch');
  });

  it('is reached by ssl with a certificate of the same authority', async () => {
    const client = newClient(`ssl:127.0.0.2:${ports.ssl}`, files('client'));
    await client.ready();
    expect(await client.listDatabases()).toContain('Open_vSwitch');
  });

  it('is not trusted where its name must match and does not', async () => {
    const client = newClient(`ssl:127.0.0.2:${ports.ssl}`, { ...files('client'), verify: 'hostname' });
    const failed = new Promise((resolve) => client.on('attemptFailed', resolve));
    expect(await failed).toMatchObject({ error: { code: 'OVSDB_CONNECTION', reason: 'refused' } });
  });

  it('is not trusted where another authority signed its certificate', async () => {
    const client = newClient(`ssl:127.0.0.2:${ports.ssl}`, {
      ...files('client'),
      caCertificate: join(directory, 'other.pem'),
    });
    const failed = new Promise((resolve) => client.on('attemptFailed', resolve));
    expect(await failed).toMatchObject({ error: { code: 'OVSDB_CONNECTION', reason: 'refused' } });
  });
});

function makeCertificates(directory: string): void {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const authority of ['ca', 'other']) {
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      `${authority}.key`,
      '-out',
      `${authority}.pem`,
      '-subj',
      `/CN=${authority}`,
    );
  }
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(join(directory, 'v3'), 'basicConstraints=CA:FALSE\n');
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'v3'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.pem`);
  }
}

/** The server picks the ports and says in its log which; the two remotes are told apart by their addresses. */
function listeningPorts(child: ChildProcess): Promise<{ readonly tcp: number; readonly ssl: number }> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.once('error', (cause) =>
      reject(new Error('ovsdb-server cannot be run: install openvswitch-switch to run the contract tests', { cause })),
    );
    child.once('exit', (code) => reject(new Error(`ovsdb-server ended with ${code}: ${said}`)));
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const port = (address: string): number =>
        Number(new RegExp(`${address}: listening on port (\\d+)`).exec(said)?.[1] ?? 0);
      const [tcp, ssl] = [port('127.0.0.1'), port('127.0.0.2')];
      if (tcp > 0 && ssl > 0) resolve({ tcp, ssl });
    });
  });
}
