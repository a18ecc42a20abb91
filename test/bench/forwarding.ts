/** Figures of forwarding entries and tunnels: Patchbay and the reference agent in turn beside the stand-in server. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { OpenFlowConnection } from '../../core/switch/openflow';
import { type Bed, type Host, until } from '../support/bed';
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
  /** What the agent's processes took more than before. */
  readonly moreMiB: number;
  /** One entry more, some times. */
  readonly entry: SettledChange;
  /** One endpoint more in one network, some times. */
  readonly endpoint: SettledChange & { readonly ports: number };
}

/** With no flow changed for so long, what one message brought about is over. */
const QUIET_MS = 2_000;
const REPEATS = 5;
const PATIENCE_MS = 440_000;
const UNICAST = 20;
const FLOOD = 22;
const TARGET = { topic: 'q-agent-notifier-l2population-update', version: '1.0' };
const FLOODING = ['00:00:00:00:00:00', '0.0.0.0'];

interface World {
  readonly server: StandInServer;
  readonly networks: readonly { readonly id: string; readonly tunnelKey: number }[];
  readonly ports: readonly BenchPort[];
}

export async function measureForwarding(
  name: AgentName,
  bed: Bed,
  { networks, remotes }: ForwardingScale,
): Promise<ForwardingFigures> {
  await bed.reset();
  const host = bed.host(1);
  const hostProcess = Number(readFileSync(join(host.folder, 'pid'), 'utf8'));
  const runDir = `/proc/${hostProcess}/root/run/openvswitch`;
  const world = await startWorld(host.name, networks);
  const running = await startAgent(name, host, INI);
  const watched = await WatchedSwitch.open({ runDir, interfaceType: 'internal' });
  await until(() => existsSync(join(runDir, 'br-tun.mgmt')), { what: 'the tunnel bridge is there' });
  const changes = await FlowChanges.watch(runDir, QUIET_MS, 'br-tun');
  const bridge = await OpenFlowConnection.connect({
    bridge: 'br-tun',
    target: { kind: 'unix', path: `${runDir}/br-tun.mgmt` },
  });
  try {
    const since = performance.now();
    await watched.insert(world.ports);
    await untilReportedUp(world.server, world.ports, since, PATIENCE_MS);
    await pause(QUIET_MS * 2);
    const before = usageBeside(hostProcess);
    const hosts = Array.from({ length: remotes }, (_, index) => index + 1);
    const expected = changes.total + 2 * networks * remotes;
    const isFlooded = async () => {
      const floods = (await bridge.dumpFlows({ table: FLOOD })).map((flow) => flow.decode().actions);
      return (
        floods.filter((actions) => actions.filter(({ type }) => type === 'output').length >= remotes).length >= networks
      );
    };
    const full = await changes.settledBy(
      async () => {
        for (const [index, { id, tunnelKey }] of world.networks.entries()) {
          await send(
            world.server,
            id,
            tunnelKey,
            Object.fromEntries(hosts.map((remote) => [addressOf(remote), [FLOODING, entryOf(index, remote)]])),
          );
        }
      },
      { isDone: async () => changes.total >= expected && (await isFlooded()), patienceMs: PATIENCE_MS },
    );
    const after = usageBeside(hostProcess);
    const flows = (await bridge.dumpFlows()).length;
    const one = world.networks[Math.floor(networks / 2)] ?? { id: '', tunnelKey: 0 };
    const more = async (act: (round: number) => Promise<unknown>): Promise<SettledChange> => {
      const rounds: SettledChange[] = [];
      for (let round = 0; round < REPEATS; round++) rounds.push(await changes.settledBy(() => act(round)));
      return { ms: median(rounds.map(({ ms }) => ms)), flows: median(rounds.map((each) => each.flows)) };
    };
    const entry = await more((round) =>
      send(world.server, one.id, one.tunnelKey, {
        [addressOf(2)]: [[`fa:16:3e:ff:ff:0${round}`, `10.255.0.${round}`]],
      }),
    );
    const portsBefore = await tunnelPorts(host);
    const endpoint = await more((round) =>
      send(world.server, one.id, one.tunnelKey, { [addressOf(2_000 + round)]: [FLOODING] }),
    );
    const ports = ((await tunnelPorts(host)) - portsBefore) / REPEATS;
    const unicast = (await bridge.dumpFlows({ table: UNICAST })).length;
    if (unicast < networks * remotes) throw new Error(`only ${unicast} entries are on the switch`);
    return {
      full,
      fullCpuMs: after.cpuMs - before.cpuMs,
      flows,
      moreMiB: after.rssMiB - before.rssMiB,
      entry,
      endpoint: { ...endpoint, ports },
    };
  } finally {
    await bridge.close();
    await changes.close();
    await watched.close();
    await running.stop();
    await host.stopPrograms();
    await world.server.close();
  }
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

const send = (
  { messaging }: StandInServer,
  networkId: string,
  tunnelKey: number,
  ports: Readonly<Record<string, readonly (readonly string[])[]>>,
): Promise<void> =>
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
