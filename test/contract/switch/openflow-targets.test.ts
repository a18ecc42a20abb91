import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultSettings } from '../../../core/kernel/config/settings';
import { connectBridge } from '../../../core/switch/openflow-targets';
import { type PrivateSwitch, startPrivateSwitch } from '../../support/private-switch';

let ovs: PrivateSwitch;
let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-tls-'));
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const pair = ['-newkey', 'rsa:2048', '-nodes', '-keyout', file('key.pem'), '-out', file('cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...pair, ...subject], { stdio: 'ignore' });
  ovs = await startPrivateSwitch();
  await ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'protocols=OpenFlow13,OpenFlow14');
  await ovs.vsctl('set-ssl', file('key.pem'), file('cert.pem'), file('cert.pem'));
});

afterAll(async () => {
  await ovs.stop();
  rmSync(folder, { recursive: true });
});

test.each(['tcp', 'ssl'])('a bridge is reached over %s where the operator says so', async (transport) => {
  const port = await freePort();
  await ovs.vsctl('set-controller', 'br0', `p${transport}:${port}:127.0.0.1`);
  const client = await connectBridge('br0', {
    ...defaultSettings(),
    openflow_connections: { br0: `${transport}:127.0.0.1:${port}` },
    ssl_key_file: file('key.pem'),
    ssl_cert_file: file('cert.pem'),
    ssl_ca_cert_file: file('cert.pem'),
  });
  expect(await client.dumpFlows()).toEqual(expect.any(Array));
  await client.close();
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
