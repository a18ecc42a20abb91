import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { createMessaging, type Messaging } from '../../../core/rpc';
import { runBesideBroker } from '../../support/private-broker';
import { standInNetwork, standInPort, standInSecurityGroup, standInSubnet } from '../../support/stand-in-objects';
import { StandInServer } from '../../support/stand-in-server';
import { until } from './messaging-contract';

/** The distribution's interpreter: it has Neutron's packages, which one installed beside it has not. */
const PYTHON = '/usr/bin/python3';
const PEER = join(__dirname, 'oslo_peer.py');

runBesideBroker(__filename, (url) => {
  describe('with the real oslo.messaging', () => {
    let messaging: Messaging;
    let peer: ChildProcess;
    const printed: string[] = [];
    beforeAll(async () => {
      messaging = createMessaging({ transportUrl: url });
      peer = spawn(PYTHON, [PEER, 'server', url], { stdio: ['pipe', 'pipe', 'inherit'] });
      if (peer.stdout) createInterface(peer.stdout).on('line', (line) => printed.push(line));
      await until(() => peer.exitCode !== null || (printed.includes('ready') && messaging.stats().connections === 2));
      if (peer.exitCode !== null) throw new Error('the peer ended: see its output above');
    });
    afterAll(async () => {
      peer.stdin?.end();
      await Promise.all([
        messaging.close(),
        peer.exitCode === null ? new Promise((resolve) => peer.once('exit', resolve)) : undefined,
      ]);
    });

    it('our call is understood, context and all', async () => {
      const answer = await messaging.call({ topic: 'python', version: '1.3' }, 'echo', {
        word: 'grün',
        list: [1, null],
      });
      expect(answer).toEqual({
        kwargs: { word: 'grün', list: [1, null] },
        roles: ['admin', 'member', 'reader'],
        is_admin: true,
      });
    });

    it('its exception reaches us with class, module and traceback', async () => {
      const call = messaging.call({ topic: 'python', version: '1.0' }, 'fail');
      const traceback = expect.arrayContaining([expect.stringContaining('not today')]);
      await expect(call).rejects.toMatchObject({
        remoteClass: 'ValueError',
        module: 'builtins',
        message: 'not today',
        traceback,
      });
    });

    it('its refusal of a newer version reaches us', async () => {
      const call = messaging.call({ topic: 'python', version: '1.4' }, 'echo');
      await expect(call).rejects.toMatchObject({ remoteClass: 'UnsupportedVersion' });
    });

    it('our cast and our fanout reach it', async () => {
      await messaging.cast({ topic: 'python', host: 'pyhost', version: '1.0' }, 'note', { word: 'direct' });
      await messaging.fanout({ topic: 'python', version: '1.0' }, 'note', { word: 'fanout' });
      await until(() => printed.includes('cast direct') && printed.includes('cast fanout'));
    });

    it('its fanout and its cast for our host reach us', async () => {
      const words: unknown[] = [];
      await messaging.listen({ topic: 'ours', host: 'h1', version: '1.0' }, { note: (_, { word }) => words.push(word) })
        .ready;
      await messaging.call({ topic: 'python', version: '1.0' }, 'call_back', { topic: 'ours', host: 'h1' });
      await until(() => words.length === 2);
      expect(words).toEqual(['fanout', 'direct']);
    });

    it("Neutron's own objects are read from what the stand-in server writes", async () => {
      const server = await StandInServer.start({ transportUrl: url });
      const network = standInNetwork({ networkType: 'vxlan', segmentationId: 42 });
      const subnet = standInSubnet(network.id, '10.0.0.0/24');
      const group = standInSecurityGroup([{ direction: 'ingress', protocol: 'tcp', ports: [22, 22] }]);
      const fixedIps = [{ subnetId: subnet.id, address: '10.0.0.5' }];
      const port = standInPort({
        network,
        host: 'h1',
        macAddress: 'fa:16:3e:00:00:01',
        fixedIps,
        securityGroupIds: [group.id],
      });
      server.preload('Network', network);
      server.preload('Subnet', subnet);
      server.preload('SecurityGroup', group);
      server.preload('Port', port);
      const { stdout } = await promisify(execFile)(PYTHON, [PEER, 'client', url, port.id]).finally(() =>
        server.close(),
      );
      expect(JSON.parse(stdout)).toEqual({
        alive: true,
        tunnels: { tunnels: [{ ip_address: '192.0.2.1', host: 'pyhost', udp_port: 4789 }] },
        mac: 'fa:16:3e:00:00:01',
        address: '10.0.0.5',
        bridge: 'br-int',
        segment: 42,
        mtu: 1450,
        cidr: '10.0.0.0/24',
        rules: ['ingress'],
        refusal: 'NoSuchMethod',
      });
    });
  });
});
