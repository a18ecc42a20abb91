import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AskVswitchd, askOver, controlSocketIn } from '../../../core/switch/conntrack/control-socket';
import { type Host, until } from '../bed';
import {
  addressPairs,
  type RuleWish,
  type StandInObject,
  standInAddressGroup,
  standInNetwork,
  standInPort,
  standInRule,
  standInSecurityGroup,
  standInSubnet,
} from '../stand-in-objects';
import type { StandInServer } from '../stand-in-server';
import { isFiltered } from './model';
import { outputsOf, type Packet, type State, traced } from './packets';
import {
  addressOf,
  GROUPS,
  type Group,
  LOCALS,
  type Local,
  macOf,
  OFFICES,
  type Party,
  REMOTES,
  type World,
} from './world';

const FAMILIES = ['IPv4', 'IPv6'] as const;
const SUBNETS = { IPv4: '10.0.0.0/15', IPv6: 'fd00::/48' } as const;
/** A rule of every group that tells the round: a port of UDP that no packet has. */
const STAMP = 20_000;

/** A host with the ports of a world, on a network of its own: what its switch does with a packet can be asked. */
export class JudgedHost {
  readonly ports: ReadonlyMap<Local, StandInObject>;
  private readonly ask: AskVswitchd;
  private readonly names: ReadonlyMap<string, string>;
  private readonly uplink: { readonly port: string; readonly segmentationId: number };

  constructor(
    readonly host: Host,
    readonly network: StandInObject,
    segmentationId: number,
    subnets: Readonly<Record<string, StandInObject>>,
  ) {
    const ids = new Map(LOCALS.map((local) => [local, randomUUID()]));
    this.ports = new Map(
      [...ids].map(([local, id]) => [local, portOf(local, { id, host: host.name, network, subnets })]),
    );
    this.uplink = { port: host.number === 1 ? 'cable2' : 'cable', segmentationId };
    this.names = new Map([
      ...LOCALS.map((local) => [local, this.nameOf(local)] as const),
      ['outside', this.uplink.port],
    ]);
    const hostProcess = readFileSync(join(host.folder, 'pid'), 'utf8').trim();
    this.ask = askOver(() => controlSocketIn(`/proc/${hostProcess}/root/run/openvswitch`), 60_000);
  }

  async plug(): Promise<void> {
    const commands = [...this.ports].flatMap(([local, { id }]) => [
      '--',
      'add-port',
      'br-int',
      this.nameOf(local),
      '--',
      'set',
      'Interface',
      this.nameOf(local),
      'type=internal',
      ...Object.entries({ 'iface-id': id, 'attached-mac': macOf(local), 'iface-status': 'active', 'vm-uuid': id }).map(
        ([key, value]) => `external_ids:${key}="${value}"`,
      ),
    ]);
    await this.host.vsctl(...commands.slice(1));
  }

  /** Resolves when every port has its way in, every filtered one the round's stamp, and nothing has changed for a while since. */
  async untilApplied(world: World, round: number): Promise<void> {
    const filtered = LOCALS.filter((local) => isFiltered(world, local)).length;
    let before = '';
    await until(
      async () => {
        const flows = await this.host.dumpFlows('br-int');
        const stamps = flows.filter((flow) => flow.includes(`tp_dst=${STAMP + round} `));
        const stamped = new Set(stamps.map((flow) => /reg5=(0x[0-9a-f]+)/.exec(flow)?.[1]));
        const closed = LOCALS.filter((local) => !flows.some((flow) => flow.includes(entrance(this.nameOf(local)))));
        const text = flows.join('\n');
        const isSettled = stamped.size === filtered && closed.length === 0 && text === before;
        before = text;
        if (!isSettled) throw new Error(`${stamped.size} of ${filtered} have the rules; closed: ${closed.join()}`);
        return true;
      },
      { everyMs: 1_200, timeoutMs: 120_000, what: `${this.host.name} has the rules of round ${round}` },
    );
  }

  /** The ports that the packet is delivered to, `outside` among them. */
  async outputs(what: Packet, state: State): Promise<readonly string[]> {
    const [bridge, text] = traced(what, this.uplink, (local) => this.nameOf(local));
    const next = ['--ct-next', `trk,${state}`] as const;
    return outputsOf(await this.ask('ofproto/trace', '--names', bridge, text, ...next, ...next), this.names);
  }

  private nameOf(local: Local): string {
    const port = this.ports.get(local);
    if (port === undefined) throw new Error(`${this.host.name} has no port ${local}`);
    return `tap${port.id.slice(0, 11)}`;
  }
}

/** The flow that lets a port's frames to the firewall. */
const entrance = (name: string): string => `table=60, priority=100,in_port="${name}"`;

interface Place {
  readonly id: string;
  readonly host: string;
  readonly network: StandInObject;
  readonly subnets: Readonly<Record<string, StandInObject>>;
}

function portOf(party: Party, { id, host, network, subnets }: Place): StandInObject {
  return standInPort({
    id,
    host,
    network,
    macAddress: macOf(party),
    fixedIps: FAMILIES.map((family) => ({ subnetId: subnets[family]?.id ?? '', address: addressOf(party, family) })),
    deviceOwner: party === 'dhcp' ? 'network:dhcp' : 'compute:nova',
  });
}

/** The stand-in server's content as a world says, and how it becomes another world's: by what a server would announce. */
export class Stage {
  readonly judged: readonly JudgedHost[];
  private readonly groups = new Map<Group, string>(GROUPS.map((group) => [group, randomUUID()]));
  private readonly offices = randomUUID();
  private readonly remotes: ReadonlyMap<Party, StandInObject>;
  private rules: readonly StandInObject[] = [];
  private round = 0;

  constructor(
    private readonly server: StandInServer,
    hosts: readonly Host[],
  ) {
    this.judged = hosts.map((host, index) => {
      const { network, subnets } = this.newNetwork(101 + index);
      return new JudgedHost(host, network, 101 + index, subnets);
    });
    const [first] = this.judged;
    if (first === undefined) throw new Error('a stage needs a host');
    const { network, subnets } = this.newNetwork(200);
    this.remotes = new Map(
      REMOTES.map((remote) => [remote, portOf(remote, { id: randomUUID(), host: 'elsewhere', network, subnets })]),
    );
  }

  /** Before any agent has asked. */
  begin(world: World): void {
    for (const [group, id] of this.groups) {
      const object = standInSecurityGroup(this.wishes(world, group), id, { stateful: group !== 'stateless' });
      this.rules = [...this.rules, ...(object.rules as StandInObject[])];
      this.server.preload('SecurityGroup', object);
    }
    this.server.preload('AddressGroup', standInAddressGroup(world.offices, this.offices));
    for (const [party, port] of this.allPorts())
      this.server.preload('Port', { ...port, ...this.settings(world, party, port) });
  }

  /** Tells the agents what is different now, in the order in which it would come from somebody who goes from one to the next. */
  async change(world: World): Promise<void> {
    this.round += 1;
    const gone = this.rules;
    this.rules = [...this.groups].flatMap(([group, id]) =>
      this.wishes(world, group).map((wish) => standInRule(id, wish)),
    );
    await this.server.update('AddressGroup', this.offices, {
      addresses: standInAddressGroup(world.offices, this.offices).addresses,
    });
    for (const [party, port] of this.allPorts()) {
      const before = this.server.get('Port', port.id);
      const settings = this.settings(world, party, port);
      const isSame = Object.entries(settings).every(
        ([key, value]) => JSON.stringify(value) === JSON.stringify(before?.[key]),
      );
      if (!isSame) await this.server.update('Port', port.id, settings);
    }
    for (const rule of gone) await this.server.remove('SecurityGroupRule', rule.id);
    this.server.preload('SecurityGroupRule', ...this.rules);
    for (const rule of this.rules) await this.server.push('SecurityGroupRule', 'created', rule);
  }

  untilApplied(world: World): Promise<unknown> {
    return Promise.all(this.judged.map((one) => one.untilApplied(world, this.round)));
  }

  private newNetwork(segmentationId: number) {
    const network = standInNetwork({ networkType: 'vlan', physicalNetwork: 'physnet1', segmentationId });
    const subnets = Object.fromEntries(FAMILIES.map((family) => [family, standInSubnet(network.id, SUBNETS[family])]));
    this.server.preload('Network', network);
    this.server.preload('Subnet', ...Object.values(subnets));
    return { network, subnets };
  }

  private *allPorts(): Iterable<readonly [Party, StandInObject]> {
    for (const { ports } of this.judged) yield* ports;
    yield* this.remotes;
  }

  private settings({ ports }: World, party: Party, port: StandInObject) {
    const { groups, pairs, portSecurity } = ports[party];
    return {
      security_group_ids: groups.map((group) => this.groups.get(group)),
      allowed_address_pairs: addressPairs(port.id, pairs),
      security: { id: port.id, port_security_enabled: portSecurity },
    };
  }

  /** A group's rules with ids in the place of names. One group of each port has the stamp. */
  private wishes({ rules }: World, group: Group): readonly RuleWish[] {
    const stamp = STAMP + this.round;
    const stamps: readonly RuleWish[] =
      group === 'friends' ? [] : [{ direction: 'ingress', protocol: 'udp', ports: [stamp, stamp] }];
    return [...rules[group], ...stamps].map(({ remoteGroupId, remoteAddressGroupId, ...rule }) => ({
      ...rule,
      ...(remoteGroupId !== undefined && { remoteGroupId: this.groups.get(remoteGroupId as Group) ?? '' }),
      ...(remoteAddressGroupId === OFFICES && { remoteAddressGroupId: this.offices }),
    }));
  }
}
