import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bed, CommandFailed, type Host, type NeutronPort, type Running, until } from '../support/bed';
import { adminText, patchbay, startedPatchbay } from '../support/bed-agent';

jest.setTimeout(600_000);

/** sd_notify(3)'s other end: prints each datagram. */
const NOTIFIED = `
import socket, sys
end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
end.bind(sys.argv[1])
print('listening', flush=True)
while True:
    print(end.recv(4096).decode(), flush=True)
`;

let bed: Bed;
let host: Host;
let agent: Running;
let port: NeutronPort;
let manager: Running;
let log: string;

beforeAll(async () => {
  bed = await Bed.start({ server: true });
  host = bed.host(1);
  log = join(host.folder, 'agent.log');
  const socket = join(host.folder, 'notify');
  manager = host.start('service-manager', ['/usr/bin/python3', '-c', NOTIFIED, socket]);
  await manager.untilLogged(/listening/);
  agent = await startedPatchbay(host, {
    ini: { securitygroup: { firewall_driver: 'noop' } },
    argv: ['--log-file', log],
    environment: { NOTIFY_SOCKET: socket },
  });
  await bed.rest.untilAgentIsAlive('host1');
  const network = await bed.rest.createNetwork();
  port = await bed.rest.createPort(network.id, 'host1');
  await host.plug(port.id, port.mac_address);
  await bed.rest.untilPortsAre('ACTIVE', [port.id]);
});
afterAll(() => bed.stop());

/** The agent hears of the server's answer a moment after the server shows what it did. */
const untilSays = (words: readonly string[], ...sentences: readonly RegExp[]): Promise<boolean> =>
  until(async () => {
    const said = await patchbay(host, ...words);
    for (const sentence of sentences) expect(said).toMatch(sentence);
    return true;
  });

describe('of the running agent', () => {
  test('status says how it and its parts are', async () => {
    // Its health is not well for a minute after a machine left it without a processor for half a second.
    await untilSays(
      ['status'],
      /^host1: patchbay \S+, pid \d+, up .*, running$/m,
      /^health +ok$/m,
      /^switch +Open vSwitch 3\.\d+\.\d+, writing: yes$/m,
      /^ports +1 up$/m,
      /^rpc +.*: [12] connections, [123] queues/m,
    );
  });

  test('plugins names them in their order, with state and why they are here', async () => {
    const plugins = await patchbay(host, 'plugins');

    expect(plugins).toMatch(/^1 +integration-bridge +running/m);
    expect(plugins).toMatch(/anti-spoofing +running .*openvswitch_agent\.ini:\d+/);
  });

  test('config show gives values and where each comes from, and no password', async () => {
    const config = await patchbay(host, 'config', 'show');

    expect(config).toMatch(/transport_url +rabbit:\/\/guest:\*\*\*@198\.18\.0\.1:5672\/ +.*neutron\.conf:\d+/);
    expect(config).toMatch(/local_ip +198\.19\.0\.1 +.*openvswitch_agent\.ini:\d+/);
    expect(config).not.toContain('guest:guest');
  });

  test('explain gives the flows and rows of a port with their plugins, and its way to ACTIVE', async () => {
    const stages = ['seen', 'described', 'bound', 'acknowledged', 'reported'];
    await untilSays(
      ['explain', `tap${port.id.slice(0, 11)}`],
      new RegExp(`^port ${port.id} \\(tap${port.id.slice(0, 11)}\\): up$`, 'm'),
      ...stages.map((stage) => new RegExp(`^${stage} .*\\+\\d+ ms`, 'm')),
      /^port-binding .* applied .*tag=1/m,
      /^anti-spoofing .* applied .*table=25/m,
    );
    await expect(patchbay(host, 'explain', port.id)).resolves.toContain(`port ${port.id}`);
  });

  test('explain of a port that is not there says so, and fails', async () => {
    await expect(patchbay(host, 'explain', 'nowhere')).rejects.toThrow('no port nowhere is plugged here');
  });

  test('plan of a host in order says that nothing would change', async () => {
    await untilSays(['plan'], /would change 0 rows; add 0, change 0, remove 0 flows/);
  });

  test('the socket answers live, ready and Prometheus metrics', async () => {
    await expect(adminText(host, 'live')).resolves.toBe('{"live":true}');
    await expect(adminText(host, 'ready')).resolves.toBe('{"ready":true}');
    const metrics = await adminText(host, 'metrics');
    expect(metrics).toMatch(/^patchbay_ports\{state="up"\} 1$/m);
    expect(metrics).toMatch(/^# TYPE patchbay_health gauge$/m);
    expect(
      metrics
        .split('\n')
        .filter(
          (line) => line !== '' && !/^(#|[a-z_]+(\{[^}]*\})? -?[\d.e+-]+|[a-z_]+(\{[^}]*\})? \+?Inf$)/.test(line),
        ),
    ).toEqual([]);
  });
});

describe('config check', () => {
  const check = async (text: string, ...words: readonly string[]): Promise<string> => {
    const file = join(host.folder, 'checked.ini');
    writeFileSync(file, text);
    try {
      return await patchbay(host, 'config', 'check', '--config-file', file, ...words);
    } catch (error) {
      if (error instanceof CommandFailed) return `${error.stdout}${error.stderr}status ${error.status}`;
      throw error;
    }
  };
  const GOOD = '[DEFAULT]\ntransport_url = rabbit://a:b@c/\n[ovs]\nlocal_ip = 198.19.0.1\n';

  test('of what the agent can do says good', async () => {
    await expect(check(`${GOOD}[agent]\ntunnel_types = vxlan\n`)).resolves.toMatch(/^good: /m);
  });

  test.each([
    ['[agent]\nenable_distributed_routing = true\n', 'enable_distributed_routing'],
    ['[agent]\nextensions = fancy\n', 'fancy'],
    ['[securitygroup]\nfirewall_driver = iptables_hybrid\n', 'iptables_hybrid'],
  ])('of %j refuses it by name, and fails', async (text, name) => {
    const said = await check(GOOD + text);

    expect(said).toMatch(new RegExp(`^refused: .*${name}`, 'm'));
    expect(said).toMatch(/status [1-9]/);
  });

  test('goes without what --accept-missing names', async () => {
    const text = `${GOOD}[agent]\nextensions = fancy\n`;

    await expect(check(text, '--accept-missing', 'fancy')).resolves.toMatch(/^good: /m);
  });
});

describe('the process', () => {
  test('tells the service manager once it is ready', async () => {
    await manager.untilLogged(/^READY=1$/m);
  });

  test('on SIGHUP reads the configuration again, and opens the log file that a rotation moved away', async () => {
    expect(readFileSync(log, 'utf8')).not.toContain(' DEBUG ');
    const [, file = ''] = host.configurationFiles();
    appendFileSync(file, '\n[DEFAULT]\ndebug = true\n');
    renameSync(log, `${log}.1`);

    process.kill(agent.pid, 'SIGHUP');

    await until(() => readFileSync(log, 'utf8').includes('The configuration was read again'));
    await host.vsctl('set', 'Port', `tap${port.id.slice(0, 11)}`, 'external_ids:touched=yes');
    await until(() => readFileSync(log, 'utf8').includes(' DEBUG '));
    expect(readFileSync(`${log}.1`, 'utf8')).not.toContain('The configuration was read again');
  });

  test('on SIGTERM says that it stops, ends well, and leaves its flows', async () => {
    const flows = await host.dumpFlows('br-int', 'with cookies');

    await expect(agent.stop()).resolves.toEqual({ status: 0, signal: null });

    await manager.untilLogged(/^STOPPING=1$/m);
    await expect(host.dumpFlows('br-int', 'with cookies')).resolves.toEqual(flows);
  });
});
