import { createMessaging } from '../../core/rpc';
import { Bed, type Ini, type Resource, type Running, until } from '../support/bed';
import { addressOf, conditionsOf, startedPatchbay, statusOf } from '../support/bed-agent';
import { rabbitmqctl } from '../support/bed-broker';
import {
  answersFor,
  askedFor,
  entriesOf,
  requestFor,
  solicitationOf,
  tunnelsOf,
  tunnelTable,
  tunnelTo,
} from '../support/bed-forwarding';
import { lostDuring } from '../support/bed-losses';
import { createAndPlug, type Plugged, wiringOf } from '../support/bed-ports';
import { occupyTunnel } from '../support/bed-tunnels';
import { Overheard } from '../support/overheard';

jest.setTimeout(600_000);

const OPTIONS: Ini = {
  agent: { tunnel_types: 'vxlan', l2_population: true, arp_responder: true },
  securitygroup: { firewall_driver: 'noop' },
};

/** An address that the server gives nobody. */
const NOBODY = '10.0.0.50';

let bed: Bed;
/** Patchbay's, of hosts 1 and 2; host 3 has the reference agent. */
let agents: [Running, Running];
beforeAll(async () => {
  bed = await Bed.start({ hosts: 3, server: true });
  bed.host(3).startReferenceAgent(OPTIONS);
  agents = await Promise.all([
    startedPatchbay(bed.host(1), { ini: OPTIONS }),
    startedPatchbay(bed.host(2), { ini: OPTIONS }),
  ]);
  await Promise.all(bed.hosts.map((host) => bed.rest.untilAgentIsAlive(host.name)));
});
afterAll(() => bed.stop());

/** All that the server told of networks that were used when it started. */
const ANSWERED = /every forwarding entry is known/;

/** Starts Patchbay of the first host again, and waits until the server has told it everything. */
async function restarted(ini: Ini = OPTIONS): Promise<void> {
  agents[0] = await startedPatchbay(bed.host(1), { ini });
  await agents[0].untilLogged(ANSWERED);
}

async function networkOf(): Promise<Resource> {
  const network = await bed.rest.createNetwork();
  await bed.rest.createSubnet(network.id, '10.0.0.0/24');
  return network;
}

async function plugged(network: Resource, ...hosts: readonly number[]): Promise<readonly Plugged[]> {
  const made = await Promise.all(hosts.map((number) => createAndPlug(bed, network.id, {}, number)));
  await bed.rest.untilPortsAre(
    'ACTIVE',
    made.map(({ port }) => port.id),
  );
  return made;
}

/** Ports of a network that is new to the hosts: each Patchbay asks for its entries, and keeps what it is told from then on. */
async function pluggedAnew(network: Resource, ...hosts: readonly number[]): Promise<readonly Plugged[]> {
  const overheard = await Overheard.listen(bed.amqpUrl, 'q-plugin');
  try {
    const made = await plugged(network, ...hosts);
    const asksFor = (number: number) =>
      askedFor(overheard).some(
        ({ host, ports }) => host === `host${number}` && made.some(({ port }) => ports.has(port.id)),
      );
    const patchbays = hosts.filter((number) => number <= agents.length);
    await until(() => patchbays.every(asksFor), { what: 'each Patchbay has asked for the entries of the new network' });
    return made;
  } finally {
    await overheard.close();
  }
}

const one = (made: readonly Plugged[], index: number): Plugged => {
  const found = made[index];
  if (found === undefined) throw new Error(`only ${made.length} were plugged`);
  return found;
};

const reaches = (from: Plugged, to: Plugged) => from.guest.untilReaches(addressOf(to.port));

const isAnswered = ({ port }: Plugged, address = addressOf(port)): Promise<boolean> =>
  answersFor(bed.host(1), address, port.mac_address);

const until1 = (what: string, check: () => Promise<boolean>) => until(check, { what });

describe('hosts with Patchbay and one with the reference agent, all told by the server who is where', () => {
  test('report that they are', async () => {
    await until(async () => {
      for (const agent of await bed.rest.agents()) {
        expect(agent.configurations).toMatchObject({ l2_population: true, arp_responder_enabled: true });
      }
      return true;
    });
  });

  test('make no tunnel while no network has ports on two of them, and remove it with the last entry that needed it', async () => {
    const network = await networkOf();
    await pluggedAnew(network, 1);
    expect(await tunnelsOf(bed.host(1))).toEqual([]);

    const other = one(await pluggedAnew(network, 2), 0);
    await until1('the tunnel is made', async () => (await tunnelsOf(bed.host(1))).includes(tunnelTo(2)));
    await other.guest.unplug();
    await bed.rest.deletePort(other.port.id);

    await until1('the tunnel is gone', async () => (await tunnelsOf(bed.host(1))).length === 0);
  });

  test('guests on each reach each other, and tunnels lead, and flood, only where the network has ports', async () => {
    const both = await pluggedAnew(await networkOf(), 1, 2);
    await reaches(one(both, 0), one(both, 1));
    expect(await tunnelsOf(bed.host(1))).toEqual([tunnelTo(2)]);

    const all = await pluggedAnew(await networkOf(), 1, 2, 3);
    for (const from of all) for (const to of all) if (from !== to) await reaches(from, to);
    expect([...(await tunnelsOf(bed.host(1)))].sort()).toEqual([tunnelTo(2), tunnelTo(3)]);
    await until1('each network floods where it has ports, and one of them has none on host 3', async () => {
      const floods = (await tunnelTable(bed.host(1), 22)).filter((flow) => flow.includes('output'));
      return floods.length === 2 && floods.filter((flow) => flow.includes(tunnelTo(3))).length === 1;
    });
  });

  test('ARP for a guest of another host is answered on the spot, and crosses no tunnel', async () => {
    const made = await pluggedAnew(await networkOf(), 1, 2, 3);
    const [here, there, reference] = [one(made, 0), one(made, 1), one(made, 2)];
    for (const to of [there, reference]) {
      await reaches(here, to);
      await until1('the answer is there', async () => isAnswered(to));
      const wire = await bed.host(1).capture(to === there ? 'wire2' : 'wire3', { filter: 'udp port 4789' });
      await here.guest.exec('ip', 'neigh', 'flush', 'all');
      await reaches(here, to);
      // Nobody knows this one: the request goes to all, and shows what the other would look like.
      await until1('a request that nobody answers crosses the tunnel', async () => {
        await here.guest.ping(NOBODY, { count: 1 });
        return requestFor(NOBODY).test(wire.frames().join('\n'));
      });
      const frames = (await wire.stop()).join('\n');
      expect(frames).toContain('ICMP echo request');
      expect(frames).not.toMatch(requestFor(addressOf(to.port)));
      expect(await here.guest.exec('ip', 'neigh', 'show', addressOf(to.port))).toContain(to.port.mac_address);
    }
  });

  test('a port that goes takes its entry, and leaves those of the same host', async () => {
    const made = await pluggedAnew(await networkOf(), 1, 2, 2);
    const [here, first, second] = [one(made, 0), one(made, 1), one(made, 2)];
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
    const made = await pluggedAnew(await networkOf(), 1, 2);
    const there = one(made, 1);
    await until1('its address is answered for', async () => isAnswered(there));
    const [CHANGED, subnet] = ['10.0.0.20', there.port.fixed_ips[0]?.subnet_id];
    await bed.rest.updatePort(there.port.id, { fixed_ips: [{ subnet_id: subnet, ip_address: CHANGED }] });
    await until1(
      'the new address is answered for, and the old one no more',
      async () => (await isAnswered(there, CHANGED)) && !(await isAnswered(there)),
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
    await pluggedAnew(network, 1, 2, 3);
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
      (await tunnelTable(bed.host(1), 21)).some((flow) => flow.includes(`arp_tpa=${address},`) && flow.includes(MAC));
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
      await until1(
        'it is gone',
        async () => !(await entriesOf(bed.host(1))).includes(MAC) && !(await answered('10.0.0.78')),
      );
    } finally {
      await messaging.close();
    }
  });

  test('of a tunnel that the switch refuses hold up no other, and are on the switch once it can be made', async () => {
    const [here, blocked] = [bed.host(1), '198.19.0.77'];
    const BLOCKED_TUNNEL = 'vxlan-c613004d';
    const [BEHIND_BLOCKED, BEHIND_FREE] = ['fe:16:3e:00:00:02', 'fe:16:3e:00:00:03'];
    const network = await networkOf();
    await pluggedAnew(network, 1);
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
      await tell('add_fdb_entries');
      await until1('health says so', async () => {
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
    await until1('all of it is gone', async () => {
      const [entries, tunnels] = [await entriesOf(here), await tunnelsOf(here)];
      return !entries.includes(BEHIND_BLOCKED) && !entries.includes(BEHIND_FREE) && !tunnels.includes(BLOCKED_TUNNEL);
    });
  });
});

describe('a restart of Patchbay', () => {
  test('loses no frame, and leaves every flow and tunnel as it was', async () => {
    const made = await pluggedAnew(await networkOf(), 1, 2, 3);
    const [here, there, reference] = [one(made, 0), one(made, 1), one(made, 2)];
    const flows = () =>
      Promise.all([20, 21, 22].map((number) => tunnelTable(bed.host(1), number))).then((tables) =>
        tables.flat().filter((flow) => !flow.includes('hard_timeout')),
      );
    await until1('host 1 has all of the network', async () => {
      const [entries, floods] = [await entriesOf(bed.host(1)), await tunnelTable(bed.host(1), 22)];
      const isThere = async (one: Plugged) => entries.includes(one.port.mac_address) && (await isAnswered(one));
      const vlan = (await wiringOf(bed, here.guest)).tag;
      const flood = floods.find((flow) => flow.includes(`dl_vlan=${vlan} `)) ?? '';
      const floodsToBoth = flood.includes(tunnelTo(2)) && flood.includes(tunnelTo(3));
      return floodsToBoth && (await isThere(there)) && (await isThere(reference));
    });
    for (const to of [there, reference]) await reaches(here, to);
    const before = [await flows(), await tunnelsOf(bed.host(1))];
    const overheard = await Overheard.listen(bed.amqpUrl, 'q-plugin');

    const lost = await lostDuring(
      bed,
      () => Promise.all([there, reference].map(({ port }) => here.guest.pingOn(addressOf(port)))),
      async () => {
        await agents[0].stop();
        await restarted();
      },
    );

    expect(lost).toEqual([0, 0]);
    await until1('flows and tunnels are as before', async () => {
      expect([await flows(), await tunnelsOf(bed.host(1))]).toEqual(before);
      return true;
    });
    const asked = () => askedFor(overheard);
    await until1('it has asked', async () => asked().some(({ ports }) => ports.has(here.port.id)));
    expect(new Set(asked().map(({ host }) => host))).toEqual(new Set(['host1']));
    await overheard.close();
  });
});

describe('a host whose agent was away', () => {
  test('has the entries that came meanwhile, and no more those that went', async () => {
    const network = await networkOf();
    const made = await pluggedAnew(network, 1, 2);
    const [here, there] = [one(made, 0), one(made, 1)];
    await reaches(here, there);
    await agents[0].stop();
    const late = one(await plugged(network, 2), 0);
    await there.guest.unplug();
    await bed.rest.deletePort(there.port.id);
    expect(await entriesOf(bed.host(1))).toContain(there.port.mac_address);

    await restarted();

    await until1('the entries are those of now', async () => {
      const entries = await entriesOf(bed.host(1));
      return entries.includes(late.port.mac_address) && !entries.includes(there.port.mac_address);
    });
    await reaches(here, late);
  });
});

describe('after the broker was restarted', () => {
  test('entries that went and came while the agent was away are made good', async () => {
    const network = await networkOf();
    const made = await pluggedAnew(network, 1, 2);
    const [here, there] = [one(made, 0), one(made, 1)];
    await reaches(here, there);
    process.kill(-agents[0].pid, 'SIGSTOP');
    let late: Plugged;
    try {
      // A broker that starts anew knows neither queues nor what was in them.
      await rabbitmqctl('stop_app');
      await rabbitmqctl('start_app');
      late = one(await plugged(network, 2), 0);
      await there.guest.unplug();
      await bed.rest.deletePort(there.port.id);
    } finally {
      process.kill(-agents[0].pid, 'SIGCONT');
    }

    await until1('the entries are those of now', async () => {
      const entries = await entriesOf(bed.host(1));
      return entries.includes(late.port.mac_address) && !entries.includes(there.port.mac_address);
    });
    await reaches(here, late);
  });
});

describe('IPv6 neighbours on other hosts', () => {
  test('are asked for through the tunnel, and with nd_responder answered for without a frame in it', async () => {
    const network = await bed.rest.createNetwork();
    await bed.rest.createSubnet(network.id, 'fd00:7::/64');
    const made = await plugged(network, 1, 2);
    const [here, there] = [one(made, 0), one(made, 1)];
    await reaches(here, there);
    const neighbour = addressOf(there.port);
    /** What crosses the tunnel while a neighbour that nobody knows any more is found and pinged. */
    const framesOfFinding = async (): Promise<string> => {
      const wire = await bed.host(1).capture('wire2', { filter: 'udp port 4789' });
      await here.guest.exec('ip', '-6', 'neigh', 'flush', 'all');
      await reaches(here, there);
      expect(await here.guest.exec('ip', '-6', 'neigh', 'show', neighbour)).toContain(there.port.mac_address);
      return (await wire.stop()).join('\n');
    };
    // Found for once by asking nobody, if the neighbour happens to ask for this one in between.
    await until1('it is asked for', async () => solicitationOf(neighbour).test(await framesOfFinding()));

    await agents[0].stop();
    await restarted({ ...OPTIONS, patchbay: { nd_responder: true } });
    await until1('it is answered for', async () =>
      (await tunnelTable(bed.host(1), 21)).some((flow) => new RegExp(`nd_target=${neighbour}[ ,]`).test(flow)),
    );

    const frames = await framesOfFinding();
    expect(frames).toContain('ICMP6, echo request');
    expect(frames).not.toMatch(solicitationOf(neighbour));
  });
});
