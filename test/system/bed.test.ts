import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bed, frame, until } from '../support/bed';
import { repository, run } from '../support/bed-command';

jest.setTimeout(600_000);

describe('a bed with two hosts and a real control plane', () => {
  let bed: Bed;

  beforeAll(async () => {
    bed = await Bed.start({ hosts: 2, server: true });
  });
  afterAll(() => bed.stop());

  test('joins the hosts by IPv4 and IPv6, and every host to the control plane', async () => {
    const [first, second] = [bed.host(1), bed.host(2)];
    await expect(first.exec(`ping -c 1 -W 30 ${second.underlay.ipv4}`)).resolves.toContain(' 1 received');
    await expect(second.exec(`ping -c 1 -W 30 ${first.underlay.ipv6}`)).resolves.toContain(' 1 received');
    await expect(second.exec('curl -sf http://198.18.0.1:9696/v2.0/networks -H "X-Project-Id: p1"')).resolves.toContain(
      'networks',
    );
  });

  test('lets the reference agent wire ports on both hosts, which then reach each other through vxlan', async () => {
    for (const host of bed.hosts) host.startReferenceAgent();
    await Promise.all(bed.hosts.map((host) => bed.rest.untilAgentIsAlive(host.name)));
    const network = await bed.rest.createNetwork();
    await bed.rest.createSubnet(network.id, '10.0.0.0/24');
    const ports = [
      await bed.rest.createPort(network.id, 'host1'),
      await bed.rest.createPort(network.id, 'host2'),
    ] as const;
    const [here, there] = await Promise.all(
      ports.map((port, index) =>
        bed.host(index + 1).plug(port.id, port.mac_address, { addresses: [`${addressOf(port)}/24`] }),
      ),
    );
    await bed.rest.untilPortsAre('ACTIVE', [ports[0].id, ports[1].id]);
    const wire = await bed.host(1).capture('wire2', { filter: 'udp port 4789' });

    await here?.untilReaches(addressOf(ports[1]));
    await there?.untilReaches(addressOf(ports[0]));
    expect((await wire.stop()).length).toBeGreaterThanOrEqual(12);

    const tags = await bed.host(1).rows('Port');
    expect(tags.find((row) => row.name === here?.interfaceName)).toMatchObject({ tag: expect.any(Number) });
    expect((await bed.host(1).dumpFlows('br-tun')).join('\n')).toMatch(
      /set_field:0x[0-9a-f]+->tun_id|load:0x[0-9a-f]+->NXM_NX_TUN_ID/,
    );
  });

  test('is empty after a reset', async () => {
    await bed.reset();

    await expect(bed.rest.list('networks')).resolves.toEqual([]);
    await expect(bed.rest.agents()).resolves.toEqual([]);
    await expect(bed.host(1).vsctl('list-br')).resolves.toBe('br-ex\nbr-underlay\n');
  });
});

describe('guests of a bed without a control plane', () => {
  let bed: Bed;

  beforeAll(async () => {
    bed = await Bed.start();
    await bed.host(1).vsctl('add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', 'datapath_type=netdev');
  });
  afterAll(() => bed.stop());

  test('send frames of any form, count those that arrive, and outlive a restart of the switch', async () => {
    const [macA, macB] = ['fa:16:3e:00:00:0a', 'fa:16:3e:00:00:0b'];
    const a = await bed.host(1).plug('aaaaaaaa-0000-4000-8000-000000000000', macA, { addresses: ['10.1.0.1/24'] });
    const b = await bed.host(1).plug('bbbbbbbb-0000-4000-8000-000000000000', macB, { addresses: ['10.1.0.2/24'] });
    await a.untilReaches('10.1.0.2');

    const tagged = await b.capture({ filter: `ether src ${macA} and vlan 7` });
    const untagged = await b.capture({ filter: `ether src ${macA} and ether proto 0x88b5 and not vlan` });
    await a.send([frame({ destination: macB, source: macA, tags: [{ vlan: 7 }] })], { count: 2 });
    await a.send([frame({ destination: macB, source: macA })], { count: 3 });
    await until(() => tagged.count === 2 && untagged.count === 3);

    await bed.host(1).restartSwitch();
    await a.untilReaches('10.1.0.2');

    await b.unplug();
    await expect(bed.host(1).vsctl('list-ports', 'br-int')).resolves.toBe(`${a.interfaceName}\n`);
  });
});

describe('the end of a bed', () => {
  test('takes its processes along, even when whoever started it is killed with SIGKILL', async () => {
    const cacheFolder = await mkdtemp(join(tmpdir(), 'patchbay-bed-'));
    const script = 'test/bed/service switch; test/bed/hosts up 2; echo up; sleep 1000';
    const starter = spawn('bash', ['-c', `test/bed/enter bash -c '${script}'; true`], {
      cwd: repository,
      env: { ...process.env, XDG_CACHE_HOME: cacheFolder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((up) => starter.stdout.on('data', (text) => String(text).includes('up\n') && up()));
    const processes = await processesWith(`PATCHBAY_BED=${cacheFolder}`);
    expect(processes.length).toBeGreaterThan(6);
    const mounts = await readFile('/proc/self/mountinfo', 'utf8');
    const interfaces = await run(['ip', '-o', 'link']);

    starter.kill('SIGKILL');

    await until(async () => (await processesWith(`PATCHBAY_BED=${cacheFolder}`)).length === 0);
    expect(await readFile('/proc/self/mountinfo', 'utf8')).toBe(mounts);
    expect(await run(['ip', '-o', 'link'])).toBe(interfaces);
    expect(interfaces).not.toContain('management');
    await rm(cacheFolder, { recursive: true });
  });
});

/** A namespace without processes, mounts and open files is gone: so the live processes tell whether a bed is. */
async function processesWith(variable: string): Promise<readonly string[]> {
  const found = await run(['bash', '-c', `grep -lsaF "${variable}" /proc/[0-9]*/environ | cut -d / -f 3; true`]);
  return found.split('\n').filter((pid) => pid !== '');
}

const addressOf = (port: { readonly fixed_ips: readonly { readonly ip_address: string }[] }): string => {
  const [first] = port.fixed_ips;
  if (!first) throw new Error('the port has no address: its network needs a subnet');
  return first.ip_address;
};
