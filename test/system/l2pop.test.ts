import { createMessaging } from '../../core/rpc';
import {
  Bed,
  type Guest,
  type Host,
  type Ini,
  type NeutronPort,
  type Resource,
  type Running,
  until,
} from '../support/bed';
import { addressOf, conditionsOf, startedPatchbay, statusOf } from '../support/bed-agent';
import { rabbitmqctl } from '../support/bed-broker';
import { occupyTunnel } from '../support/bed-tunnels';
import { Overheard } from '../support/overheard';

jest.setTimeout(180_000);

const OPTIONS: Ini = {
  agent: { tunnel_types: 'vxlan', l2_population: true, arp_responder: true },
  securitygroup: { firewall_driver: 'noop' },
};

interface Plugged {
  readonly port: NeutronPort;
  readonly guest: Guest;
}

let bed: Bed;
let agents: Running[];
beforeAll(async () => {
  bed = await Bed.start({ hosts: 3, server: true });
  agents = [
    await startedPatchbay(bed.host(1), { ini: OPTIONS }),
    await startedPatchbay(bed.host(2), { ini: OPTIONS }),
    bed.host(3).startReferenceAgent(OPTIONS),
  ];
  await Promise.all(bed.hosts.map((host) => bed.rest.untilAgentIsAlive(host.name)));
});
afterAll(() => bed.stop());

async function networkOf(): Promise<Resource> {
  const network = await bed.rest.createNetwork();
  await bed.rest.createSubnet(network.id, '10.0.0.0/24');
  return network;
}

async function plugged(network: Resource, ...hosts: readonly number[]): Promise<readonly Plugged[]> {
  const made: Plugged[] = [];
  for (const number of hosts) {
    const port = await bed.rest.createPort(network.id, `host${number}`);
    const guest = await bed.host(number).plug(port.id, port.mac_address, { addresses: [`${addressOf(port)}/24`] });
    made.push({ port, guest });
  }
  await bed.rest.untilPortsAre(
    'ACTIVE',
    made.map(({ port }) => port.id),
  );
  return made;
}

const one = (made: readonly Plugged[], index: number): Plugged => {
  const found = made[index];
  if (found === undefined) throw new Error(`only ${made.length} were plugged`);
  return found;
};

const reaches = (from: Plugged, to: Plugged) =>
  until(async () => (await from.guest.ping(addressOf(to.port), { count: 1 })).received === 1);

const tunnelsOf = async (host: Host): Promise<readonly string[]> =>
  (await host.vsctl('list-ports', 'br-tun'))
    .trim()
    .split('\n')
    .filter((name) => name.startsWith('vxlan-'));

/** Names under which a host's tunnels are known: 198.19.0.N in hexadecimal. */
const tunnelTo = (host: number): string => `vxlan-c613000${host}`;

/** An ARP request as tcpdump prints it; to whom it is sent, a broadcast or a check whether a neighbour is still there, makes no difference. */
const requestFor = (address: string): RegExp =>
  new RegExp(`ARP.* Request who-has ${address.replaceAll('.', '\\.')} .*tell`);

const table = async (host: Host, number: number): Promise<readonly string[]> =>
  (await host.dumpFlows('br-tun', 'with cookies')).filter((flow) => flow.includes(` table=${number},`));

/** Of table 20, what the server told, not what the bridge learned. */
const entriesOf = async (host: Host): Promise<string> =>
  (await table(host, 20)).filter((flow) => flow.includes('priority=2,')).join('\n');

const until1 = (what: string, check: () => Promise<boolean>) => until(check, { what, timeoutMs: 30_000 });

describe('hosts with Patchbay and one with the reference agent, all told by the server who is where', () => {
  test('report that they are', async () => {
    for (const agent of await bed.rest.agents()) {
      expect(agent.configurations).toMatchObject({ l2_population: true, arp_responder_enabled: true });
    }
  });

  test('make no tunnel while no network has ports on two of them, and remove it with the last entry that needed it', async () => {
    const network = await networkOf();
    await plugged(network, 1);
    expect(await tunnelsOf(bed.host(1))).toEqual([]);

    const [other] = await plugged(network, 2);
    await until1('the tunnel is made', async () => (await tunnelsOf(bed.host(1))).includes(tunnelTo(2)));
    await other?.guest.unplug();
    await bed.rest.deletePort(other?.port.id ?? '');

    await until1('the tunnel is gone', async () => (await tunnelsOf(bed.host(1))).length === 0);
  });

  test('guests on each reach each other, and tunnels lead, and flood, only where the network has ports', async () => {
    const both = await plugged(await networkOf(), 1, 2);
    await reaches(one(both, 0), one(both, 1));
    expect(await tunnelsOf(bed.host(1))).toEqual([tunnelTo(2)]);

    const all = await plugged(await networkOf(), 1, 2, 3);
    for (const from of all) for (const to of all) if (from !== to) await reaches(from, to);
    expect([...(await tunnelsOf(bed.host(1)))].sort()).toEqual([tunnelTo(2), tunnelTo(3)]);
    const floods = (await table(bed.host(1), 22)).filter((flow) => flow.includes('output'));
    expect(floods.filter((flow) => flow.includes(tunnelTo(3)))).toHaveLength(1);
    expect(floods.filter((flow) => !flow.includes(tunnelTo(3)))).toHaveLength(1);
  });

  test('ARP for a guest of another host is answered on the spot, and crosses no tunnel', async () => {
    const made = await plugged(await networkOf(), 1, 2, 3);
    const [here, there, reference] = [one(made, 0), one(made, 1), one(made, 2)];
    for (const to of [there, reference]) {
      await reaches(here, to);
      const wire = await bed.host(1).capture(to === there ? 'wire2' : 'wire3', { filter: 'udp port 4789' });
      // Nobody knows this one: the request goes to all, and shows what the other would look like.
      await here.guest.ping('10.0.0.250', { count: 1 });
      await here.guest.exec('ip', 'neigh', 'flush', 'all');
      await expect(here.guest.ping(addressOf(to.port))).resolves.toEqual({ sent: 3, received: 3 });
      const frames = (await wire.stop()).join('\n');
      expect(frames).toContain('ICMP echo request');
      expect(frames).toMatch(requestFor('10.0.0.250'));
      expect(frames).not.toMatch(requestFor(addressOf(to.port)));
      expect(await here.guest.exec('ip', 'neigh', 'show', addressOf(to.port))).toContain(to.port.mac_address);
    }
  });

  test('a port that goes takes its entry, and leaves those of the same host', async () => {
    const network = await networkOf();
    const [here, first, second] = await plugged(network, 1, 2, 2).then((made) => [
      one(made, 0),
      one(made, 1),
      one(made, 2),
    ]);
    if (here === undefined || first === undefined || second === undefined) throw new Error('not plugged');
    const entries = () => entriesOf(bed.host(1));
    await until1('both entries are there', async () => {
      const text = await entries();
      return text.includes(first.port.mac_address) && text.includes(second.port.mac_address);
    });
    await first.guest.unplug();
    await bed.rest.deletePort(first.port.id);
    await until1('the entry is gone', async () => !(await entries()).includes(first.port.mac_address));
    await reaches(here, second);
  });

  test('an address that is changed is answered for anew', async () => {
    const made = await plugged(await networkOf(), 1, 2);
    const there = one(made, 1);
    const subnet = there.port.fixed_ips[0]?.subnet_id;
    await bed.rest.updatePort(there.port.id, { fixed_ips: [{ subnet_id: subnet, ip_address: '10.0.0.200' }] });
    await until1('the answer is there', async () =>
      (await table(bed.host(1), 21)).some((flow) => flow.includes('arp_tpa=10.0.0.200')),
    );
    expect((await table(bed.host(1), 21)).join('\n')).not.toMatch(
      new RegExp(`dl_vlan=\\d+,arp_tpa=${addressOf(there.port)},.*${there.port.mac_address}`),
    );
  });
});

describe('entries that the server sends', () => {
  const MAC = 'fe:16:3e:00:00:01';
  const TARGET = { topic: 'q-agent-notifier-l2population-update', host: 'host1', version: '1.0' };

  test.each([
    ['to one host', 'there, and nowhere else'],
    ['by fanout', 'wherever the network is used'],
  ])('%s are added, changed and removed %s', async (how, _where) => {
    const network = await networkOf();
    await plugged(network, 1, 2, 3);
    const messaging = createMessaging({ transportUrl: bed.amqpUrl.replace('amqp:', 'rabbit:') });
    const { host, ...toAll } = TARGET;
    const tell = (method: string, fdb_entries: unknown) =>
      how === 'by fanout'
        ? messaging.fanout(toAll, method, { fdb_entries })
        : messaging.cast(TARGET, method, { fdb_entries, host });
    const entry = (address: string) => ({
      [network.id]: {
        segment_id: network['provider:segmentation_id'],
        network_type: 'vxlan',
        ports: { [bed.host(3).underlay.ipv4]: [[MAC, address]] },
      },
    });
    const answered = async (address: string) =>
      (await table(bed.host(1), 21)).some((flow) => flow.includes(`arp_tpa=${address},`) && flow.includes(MAC));
    try {
      await tell('add_fdb_entries', entry('10.0.0.77'));
      await until1('it is added', async () => (await entriesOf(bed.host(1))).includes(MAC) && answered('10.0.0.77'));
      if (how === 'by fanout') {
        await until1('on the other host too', async () => (await entriesOf(bed.host(2))).includes(MAC));
      } else expect(await entriesOf(bed.host(2))).not.toContain(MAC);
      const change = { before: [[MAC, '10.0.0.77']], after: [[MAC, '10.0.0.78']] };
      await tell('update_fdb_entries', { chg_ip: { [network.id]: { [bed.host(3).underlay.ipv4]: change } } });
      await until1('it is changed', async () => (await answered('10.0.0.78')) && !(await answered('10.0.0.77')));
      await tell('remove_fdb_entries', entry('10.0.0.78'));
      await until1('it is gone', async () => !(await entriesOf(bed.host(1))).includes(MAC));
      expect(await answered('10.0.0.78')).toBe(false);
    } finally {
      await messaging.close();
    }
  });

  test('of a tunnel that the switch refuses hold up no other, and are on the switch once it can be made', async () => {
    const [here, blocked] = [bed.host(1), '198.19.0.77'];
    const [BEHIND_BLOCKED, BEHIND_FREE] = ['fe:16:3e:00:00:02', 'fe:16:3e:00:00:03'];
    const network = await networkOf();
    await plugged(network, 1);
    const vacate = await occupyTunnel(here, blocked);
    const messaging = createMessaging({ transportUrl: bed.amqpUrl.replace('amqp:', 'rabbit:') });
    const flooding = ['00:00:00:00:00:00', '0.0.0.0'];
    const tell = (method: string) =>
      messaging.cast(TARGET, method, {
        host: 'host1',
        fdb_entries: {
          [network.id]: {
            segment_id: network['provider:segmentation_id'],
            network_type: 'vxlan',
            ports: {
              [blocked]: [flooding, [BEHIND_BLOCKED, '10.0.0.81']],
              [bed.host(3).underlay.ipv4]: [flooding, [BEHIND_FREE, '10.0.0.82']],
            },
          },
        },
      });
    const health = async () =>
      conditionsOf(await statusOf(here), 'tunnels').find((each) => each.startsWith('endpoints')) ?? 'well';
    try {
      await until1('health says so', async () => {
        // Once more each time: the server's full entries, asked for when the port came up, name none of these.
        await tell('add_fdb_entries');
        const text = await health();
        if (!/no tunnel leads .*to 198\.19\.0\.77 by vxlan: [^;]*File exists/.test(text)) throw new Error(text);
        return true;
      });
      await until1('the other entry is there', async () => (await entriesOf(here)).includes(BEHIND_FREE));
      expect(await entriesOf(here)).not.toContain(BEHIND_BLOCKED);

      await vacate();

      await until1('its entry is there', async () => (await entriesOf(here)).includes(BEHIND_BLOCKED));
      await until1('health is well', async () => (await health()) === 'well');
    } finally {
      await tell('remove_fdb_entries');
      await messaging.close();
    }
  });
});

describe('a restart of Patchbay', () => {
  test('loses no frame, and leaves every flow and tunnel as it was', async () => {
    const overheard = await Overheard.listen(bed.amqpUrl, 'q-plugin');
    const asked = () => overheard.calls('update_device_list').filter(({ refresh_tunnels }) => refresh_tunnels === true);
    const portsOf = (calls: ReturnType<typeof asked>) => calls.flatMap(({ devices_up }) => devices_up);
    const made = await plugged(await networkOf(), 1, 2, 3);
    await until1('each Patchbay has asked for the entries of the new network', async () =>
      [one(made, 0), one(made, 1)].every(({ port }) => portsOf(asked()).includes(port.id)),
    );
    for (const to of [one(made, 1), one(made, 2)]) await reaches(one(made, 0), to);
    const flows = () =>
      Promise.all([20, 21, 22].map((number) => table(bed.host(1), number))).then((tables) =>
        tables.flat().filter((flow) => !flow.includes('hard_timeout')),
      );
    const before = [await flows(), await tunnelsOf(bed.host(1))];
    const askedBefore = asked().length;
    const streams = [
      await one(made, 0).guest.pingOn(addressOf(one(made, 1).port)),
      await one(made, 0).guest.pingOn(addressOf(one(made, 2).port)),
    ];
    await agents[0]?.stop();
    agents[0] = await startedPatchbay(bed.host(1), { ini: OPTIONS });
    await agents[0].untilLogged(/every forwarding entry is known/);
    for (const stream of streams) expect((await stream.stop()).lost).toBe(0);
    expect([await flows(), await tunnelsOf(bed.host(1))]).toEqual(before);
    const askedSince = asked().slice(askedBefore);
    expect(portsOf(askedSince)).toContain(one(made, 0).port.id);
    expect(new Set(askedSince.map(({ host }) => host))).toEqual(new Set(['host1']));
    await overheard.close();
  });
});

describe('a host whose agent was away', () => {
  test('has the entries that came meanwhile, and no more those that went', async () => {
    const network = await networkOf();
    const [here, there] = await plugged(network, 1, 2).then((made) => [one(made, 0), one(made, 1)] as const);
    await reaches(here, there);
    await agents[0]?.stop();
    const [late] = await plugged(network, 2);
    await there.guest.unplug();
    await bed.rest.deletePort(there.port.id);
    expect(await entriesOf(bed.host(1))).toContain(there.port.mac_address);

    agents[0] = await startedPatchbay(bed.host(1), { ini: OPTIONS });

    await until1('the entries are those of now', async () => {
      const entries = await entriesOf(bed.host(1));
      return entries.includes(late?.port.mac_address ?? '?') && !entries.includes(there.port.mac_address);
    });
    await reaches(here, late ?? there);
  });
});

describe('after the broker was restarted', () => {
  test('entries that went and came while the agent was away are made good', async () => {
    const network = await networkOf();
    const made = await plugged(network, 1, 2);
    const [here, there] = [one(made, 0), one(made, 1)];
    await reaches(here, there);
    const agent = agents[0];
    if (agent === undefined) throw new Error('no agent');
    process.kill(-agent.pid, 'SIGSTOP');
    // A broker that starts anew knows neither queues nor what was in them.
    await rabbitmqctl('stop_app');
    await rabbitmqctl('start_app');
    const [late] = await plugged(network, 2);
    await there.guest.unplug();
    await bed.rest.deletePort(there.port.id);
    process.kill(-agent.pid, 'SIGCONT');

    await until(
      async () => {
        const entries = await entriesOf(bed.host(1));
        return entries.includes(late?.port.mac_address ?? '?') && !entries.includes(there.port.mac_address);
      },
      { what: 'the entries are those of now', timeoutMs: 60_000 },
    );
    await reaches(here, late ?? there);
  });
});

describe('IPv6 neighbours on other hosts', () => {
  test('are asked for through the tunnel, and with nd_responder answered for without a frame in it', async () => {
    const network = await bed.rest.createNetwork();
    await bed.rest.createSubnet(network.id, 'fd00:7::/64');
    const made: Plugged[] = [];
    for (const number of [1, 2]) {
      const port = await bed.rest.createPort(network.id, `host${number}`);
      const addresses = [`${addressOf(port)}/64`];
      made.push({ port, guest: await bed.host(number).plug(port.id, port.mac_address, { addresses }) });
    }
    const [here, there] = [one(made, 0), one(made, 1)];
    await bed.rest.untilPortsAre('ACTIVE', [here.port.id, there.port.id]);
    await reaches(here, there);
    const neighbour = addressOf(there.port);
    /** What crosses the tunnel while a neighbour that nobody knows any more is found and pinged. */
    const framesOfFinding = async (): Promise<string> => {
      const wire = await bed.host(1).capture('wire2', { filter: 'udp port 4789' });
      await here.guest.exec('ip', '-6', 'neigh', 'flush', 'all');
      await expect(here.guest.ping(neighbour)).resolves.toEqual({ sent: 3, received: 3 });
      expect(await here.guest.exec('ip', '-6', 'neigh', 'show', neighbour)).toContain(there.port.mac_address);
      return (await wire.stop()).join('\n');
    };
    expect(await framesOfFinding()).toContain(`who has ${neighbour}, length 32`);

    await agents[0]?.stop();
    agents[0] = await startedPatchbay(bed.host(1), { ini: { ...OPTIONS, patchbay: { nd_responder: true } } });
    await agents[0].untilLogged(/every forwarding entry is known/);

    const frames = await framesOfFinding();
    expect(frames).toContain('ICMP6, echo request');
    expect(frames).not.toContain(`who has ${neighbour}, length 32`);
  });
});
