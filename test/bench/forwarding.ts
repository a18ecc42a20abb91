/** Figures of forwarding entries and tunnels: Patchbay and the reference agent in turn beside the stand-in server. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { OpenFlowConnection } from '../../core/switch/openflow';
import type { OvsdbClient } from '../../core/switch/ovsdb';
import { type Bed, type Host, type Running, until } from '../support/bed';
import { standInNetwork, standInPort, standInSubnet } from '../support/stand-in-objects';
import { StandInServer } from '../support/stand-in-server';
import { type AgentName, startAgent } from './agents';
import { FlowChanges, type SettledChange } from './flow-changes';
import { median } from './samples';
import { untilReportedUp } from './stand-in-world';
import { usageBeside } from './usage';
import { type BenchPort, WatchedSwitch } from './watched-switch';

export interface ForwardingScale {
  /** Networks that have a port on the host. */
  readonly networks: number;
  /** Other hosts that have a port on each of them. */
  readonly remotes: number;
}

export interface ForwardingFigures {
  /** From the first message to the last flow. */
  readonly full: SettledChange;
  /** Processor time of the agent. */
  readonly fullCpuMs: number;
  readonly flows: number;
  /** Resident memory of the agent's processes. */
  readonly rssMiB: number;
  /** What they took more than before. */
  readonly moreMiB: number;
  /** One entry more, some times. */
  readonly entry: SettledChange & {
    /** The switch's own share: as many flows more with no agent running. */
    readonly aloneMs: number;
  };
  /** One endpoint more in one network, some times. */
  readonly endpoint: SettledChange & {
    readonly ports: number;
    /** The switch's own share: a tunnel port more with no agent running. */
    readonly aloneMs: number;
  };
}

/** With no flow changed for so long, what one message brought about is over. */
const QUIET_MS = 2_000;
const REPEATS = 9;
const PATIENCE_MS = 440_000;
const UNICAST = 20;
const RESPONDER = 21;
const FLOOD = 22;
const TARGET = { topic: 'q-agent-notifier-l2population-update', version: '1.0' };
const FLOODING = ['00:00:00:00:00:00', '0.0.0.0'];

/** Endpoint → MAC and IP address of each port there, as the server writes entries. */
type PortsOfHosts = Readonly<Record<string, readonly (readonly string[])[]>>;

interface World {
  readonly server: StandInServer;
  readonly networks: readonly { readonly id: string; readonly tunnelKey: number }[];
  readonly ports: readonly BenchPort[];
}

/** One agent on a fresh host beside the stand-in server. */
interface Rig {
  readonly host: Host;
  readonly hostProcess: number;
  readonly world: World;
  readonly running: Running;
  readonly watched: WatchedSwitch;
  readonly changes: FlowChanges;
  readonly bridge: OpenFlowConnection;
}

export async function measureForwarding(
  name: AgentName,
  bed: Bed,
  { networks, remotes }: ForwardingScale,
): Promise<ForwardingFigures> {
  await bed.reset();
  const rig = await startRig(name, bed.host(1), networks);
  const { world, changes, bridge } = rig;
  try {
    const since = performance.now();
    await rig.watched.insert(world.ports);
    await untilReportedUp(world.server, world.ports, since, PATIENCE_MS);
    await pause(QUIET_MS * 2);
    const before = usageBeside(rig.hostProcess);
    const full = await fullTable(rig, remotes);
    const after = usageBeside(rig.hostProcess);
    const flows = (await bridge.dumpFlows()).length;
    const unicast = (await bridge.dumpFlows({ table: UNICAST })).length;
    if (unicast < networks * remotes) throw new Error(`only ${unicast} entries are on the switch`);
    const one = world.networks[Math.floor(networks / 2)] ?? { id: '', tunnelKey: 0 };
    const more = async (entriesOf: (round: number) => PortsOfHosts): Promise<SettledChange> => {
      const rounds: SettledChange[] = [];
      for (let round = 0; round < REPEATS; round++) {
        rounds.push(await changes.settledBy(() => send(world.server, one.id, one.tunnelKey, entriesOf(round))));
      }
      return { ms: median(rounds.map(({ ms }) => ms)), flows: median(rounds.map((each) => each.flows)) };
    };
    const entry = await more((round) => ({ [addressOf(2)]: [[`fa:16:3e:ff:ff:0${round}`, `10.255.0.${round}`]] }));
    const portsBefore = await tunnelPorts(rig.host);
    const endpoint = await more((round) => ({ [addressOf(2_000 + round)]: [FLOODING] }));
    const ports = ((await tunnelPorts(rig.host)) - portsBefore) / REPEATS;
    await rig.running.stop();
    const [entryAlone, endpointAlone]: [number[], number[]] = [[], []];
    for (let round = 0; round < REPEATS; round++) {
      await pause(QUIET_MS);
      entryAlone.push(await addFlowsAlone(bridge, macOf(0xffff, round)));
      await pause(QUIET_MS);
      endpointAlone.push(await addTunnelAlone(rig.watched.database, addressOf(3_000 + round)));
    }
    return {
      full,
      fullCpuMs: after.cpuMs - before.cpuMs,
      flows,
      rssMiB: after.rssMiB,
      moreMiB: after.rssMiB - before.rssMiB,
      entry: { ...entry, aloneMs: median(entryAlone) },
      endpoint: { ...endpoint, ports, aloneMs: median(endpointAlone) },
    };
  } finally {
    await bridge.close();
    await changes.close();
    await rig.watched.close();
    await rig.host.stopPrograms();
    await world.server.close();
  }
}

async function startRig(name: AgentName, host: Host, networks: number): Promise<Rig> {
  const hostProcess = Number(readFileSync(join(host.folder, 'pid'), 'utf8'));
  const runDir = `/proc/${hostProcess}/root/run/openvswitch`;
  const world = await startWorld(host.name, networks);
  const running = await startAgent(name, host, INI);
  const watched = await WatchedSwitch.open({ runDir, interfaceType: 'internal' });
  await until(() => existsSync(join(runDir, 'br-tun.mgmt')), { what: 'the tunnel bridge is there' });
  const changes = await FlowChanges.watch(runDir, QUIET_MS, 'br-tun');
  const target = { kind: 'unix', path: `${runDir}/br-tun.mgmt` } as const;
  const bridge = await OpenFlowConnection.connect({ bridge: 'br-tun', target });
  return { host, hostProcess, world, running, watched, changes, bridge };
}

/** Tells the agent of every host's port on every network, as fast as the broker takes it. */
function fullTable({ world, changes, bridge }: Rig, remotes: number): Promise<SettledChange> {
  const hosts = Array.from({ length: remotes }, (_, index) => index + 1);
  const expected = changes.total + 2 * world.networks.length * remotes;
  const isFlooded = async (): Promise<boolean> => {
    const outputs = (await bridge.dumpFlows({ table: FLOOD })).map(
      (flow) => flow.decode().actions.filter(({ type }) => type === 'output').length,
    );
    return outputs.filter((count) => count >= remotes).length >= world.networks.length;
  };
  return changes.settledBy(
    async () => {
      for (const [index, { id, tunnelKey }] of world.networks.entries()) {
        const ports = hosts.map((remote) => [addressOf(remote), [FLOODING, entryOf(index, remote)]] as const);
        await send(world.server, id, tunnelKey, Object.fromEntries(ports));
      }
    },
    { isDone: async () => changes.total >= expected && (await isFlooded()), patienceMs: PATIENCE_MS },
  );
}

/** The switch's own share of an entry more, in milliseconds: two flows in a bundle, until it is acknowledged. */
async function addFlowsAlone(bridge: OpenFlowConnection, macAddress: string): Promise<number> {
  const since = performance.now();
  await bridge.bundle(
    [UNICAST, RESPONDER].map((table) => {
      const match = { dl_vlan: 4_000, eth_dst: macAddress };
      const flow = { bridge: 'br-tun', table, priority: 2, match, actions: [{ type: 'pop_vlan' as const }] };
      return { kind: 'flow', command: 'add', flow, cookie: 1n } as const;
    }),
  );
  return performance.now() - since;
}

/** The switch's own share of an endpoint more, in milliseconds: a port as an agent makes it, until it has its number. */
async function addTunnelAlone(database: OvsdbClient, remoteIp: string): Promise<number> {
  const name = `alone-${remoteIp.split('.').slice(2).join('-')}`;
  const bridge = database.replica.table('Bridge').findBy('name', 'br-tun')?._uuid;
  if (bridge === undefined) throw new Error('there is no tunnel bridge');
  const options = {
    remote_ip: remoteIp,
    local_ip: '10.99.255.254',
    in_key: 'flow',
    out_key: 'flow',
    df_default: 'true',
  };
  const since = performance.now();
  await database.transact((transaction) => {
    const row = transaction.insert('Interface', { name, type: 'vxlan', options });
    transaction.addTo('Bridge', bridge, 'ports', [transaction.insert('Port', { name, interfaces: [row] })]);
  });
  await database.waitFor(`a number for ${name}`, () => {
    const ofport = database.replica.table('Interface').findBy('name', name)?.ofport ?? 0;
    return ofport > 0 ? ofport : undefined;
  });
  return performance.now() - since;
}

const INI = {
  agent: { tunnel_types: 'vxlan', l2_population: true, arp_responder: true },
  securitygroup: { firewall_driver: 'noop' },
};

/** One port of the host on each of so many networks. */
async function startWorld(host: string, count: number): Promise<World> {
  const server = await StandInServer.start({ transportUrl: 'rabbit://guest:guest@127.0.0.1:5672/' });
  const made = Array.from({ length: count }, (_, index) => {
    const tunnelKey = 10_000 + index;
    const network = standInNetwork({ networkType: 'vxlan', segmentationId: tunnelKey });
    const subnet = standInSubnet(network.id, '10.0.0.0/8');
    const port = standInPort({
      network,
      host,
      macAddress: macOf(index, 0),
      fixedIps: [{ subnetId: subnet.id, address: '10.0.0.1' }],
      securityGroupIds: [],
    });
    server.preload('Network', network);
    server.preload('Subnet', subnet);
    server.preload('Port', port);
    return { network: { id: network.id, tunnelKey }, port: { id: port.id, macAddress: macOf(index, 0) } };
  });
  return { server, networks: made.map(({ network }) => network), ports: made.map(({ port }) => port) };
}

const send = ({ messaging }: StandInServer, networkId: string, tunnelKey: number, ports: PortsOfHosts): Promise<void> =>
  messaging.fanout(TARGET, 'add_fdb_entries', {
    fdb_entries: { [networkId]: { segment_id: tunnelKey, network_type: 'vxlan', ports } },
  });

const tunnelPorts = async (host: Host): Promise<number> =>
  (await host.vsctl('list-ports', 'br-tun')).split('\n').filter((port) => port.startsWith('vxlan-')).length;

const byte = (value: number): string => (value & 0xff).toString(16).padStart(2, '0');
const macOf = (network: number, remote: number): string =>
  `fa:16:${[network >> 8, network, remote >> 8, remote].map(byte).join(':')}`;
const addressOf = (remote: number): string => `10.99.${remote >> 8}.${remote & 0xff}`;
const entryOf = (network: number, remote: number): readonly string[] => [
  macOf(network, remote),
  `10.1.${remote >> 8}.${remote & 0xff}`,
];
