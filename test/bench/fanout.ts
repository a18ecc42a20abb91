/**
 * Three real agents on three hosts beside the real server: what they hold at the broker, what they take of the server, and how long a fanout of
 * forwarding entries takes to the last one's switch. docs/scale.md has the figures.
 *   test/bed/enter node -r ./test/demo/load-typescript.js test/bench/fanout.ts patchbay|reference
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { defaultSettings } from '../../core/kernel/config/settings';
import { createMessaging } from '../../core/rpc';
import { percentile } from '../../core/simulate/fanouts';
import { processorMs } from '../../core/simulate/processor-time';
import { connectBridge } from '../../core/switch/openflow-targets';
import { Bed, type Host, type Resource } from '../support/bed';
import { untilReady } from '../support/bed-agent';
import type { AgentName } from './agents';
import { brokerLoad } from './broker';
import { runDirOf } from './real-server';
import { Traffic } from './traffic';

const HOSTS = 3;
/** Ports of each host, one on each network. */
const NETWORKS = 4;
const FANOUTS = 60;
/** A multiple of the interval of state reports. */
const REST_MS = 60_000;
/** What follows from a start, or from ports that came up, is over by then. */
const SETTLING_MS = 15_000;
const TARGET = { topic: 'q-agent-notifier-l2population-update', version: '1.0' };
const INI = {
  agent: { tunnel_types: 'vxlan', l2_population: true, arp_responder: true },
  securitygroup: { firewall_driver: 'openvswitch' },
};

interface Spent {
  readonly serverMs: number;
  readonly brokerMs: number;
  readonly delivered: number;
  readonly elapsedMs: number;
}

async function main(name: AgentName): Promise<void> {
  const bed = await Bed.start({ hosts: HOSTS, server: true });
  const before = await brokerLoad();
  const traffic = await Traffic.open(bed.amqpUrl);
  const spent = async (act: () => Promise<unknown>): Promise<Spent> => {
    const read = () => ({
      serverMs: processorMs('neutron-server'),
      brokerMs: processorMs('rabbit'),
      delivered: traffic.count,
      elapsedMs: performance.now(),
    });
    const from = read();
    await act();
    const to = read();
    const difference = (of: keyof Spent): number => to[of] - from[of];
    return {
      serverMs: difference('serverMs'),
      brokerMs: difference('brokerMs'),
      delivered: difference('delivered'),
      elapsedMs: difference('elapsedMs'),
    };
  };
  const alone = await spent(() => pause(REST_MS / 2));
  const start = await spent(async () => {
    await started(name, bed);
    await pause(SETTLING_MS);
  });
  const networks: Resource[] = [];
  const ports = await portsOf(bed, networks);
  await pause(SETTLING_MS);
  const up = await spent(async () => {
    for (const { host, id, mac } of ports) await host.plug(id, mac);
    await bed.rest.untilPortsAre(
      'ACTIVE',
      ports.map(({ id }) => id),
    );
    await pause(SETTLING_MS);
  });
  const load = await brokerLoad();
  const rest = await spent(() => pause(REST_MS));
  await traffic.close();
  const { each, last } = await measureFanouts(bed, networks[0]);

  const per = (figure: number, of: number): string => (figure / of).toFixed(0);
  const rateOf = ({ delivered, elapsedMs }: Spent): number => (delivered / elapsedMs) * 1000;
  const shareOf = ({ serverMs, elapsedMs }: Spent): number => (serverMs / elapsedMs) * 100;
  const ms = (values: readonly number[], part: number): string => `${percentile(values, part).toFixed(1)} ms`;
  console.log(
    [
      `${name}, ${HOSTS} agents`,
      `connections ${load.connections - before.connections - 1}, queues ${load.queues - before.queues - 1} (the counter's own left out)`,
      `start, an agent: server CPU ${per(start.serverMs, HOSTS)} ms, broker CPU ${per(start.brokerMs, HOSTS)} ms, ${per(start.delivered, HOSTS)} messages`,
      `port that comes up: server CPU ${per(up.serverMs, ports.length)} ms, ${per(up.delivered, ports.length)} messages`,
      `at rest: server CPU ${shareOf(rest).toFixed(2)} % (alone ${shareOf(alone).toFixed(2)} %), ${rateOf(rest).toFixed(2)} messages/s (alone ${rateOf(alone).toFixed(2)})`,
      `fanout → an agent's flow p50 ${ms(each, 0.5)}, p99 ${ms(each, 0.99)}; the last agent's p50 ${ms(last, 0.5)}, p99 ${ms(last, 0.99)}`,
      `load of the machine: ${execFileSync('cat', ['/proc/loadavg'], { encoding: 'utf8' }).trim()}`,
    ].join('\n'),
  );
  await bed.stop();
}

async function started(name: AgentName, bed: Bed): Promise<void> {
  for (const host of bed.hosts) {
    if (name === 'reference') host.startReferenceAgent(INI);
    else host.startPatchbay({ ini: INI });
  }
  if (name === 'patchbay') await Promise.all(bed.hosts.map((host) => untilReady(host)));
  await Promise.all(bed.hosts.map((host) => bed.rest.untilAgentIsAlive(host.name)));
}

async function portsOf(bed: Bed, networks: Resource[]) {
  const ports: { readonly host: Host; readonly id: string; readonly mac: string }[] = [];
  for (let number = 0; number < NETWORKS; number++) {
    const network = await bed.rest.createNetwork();
    networks.push(network);
    await bed.rest.createSubnet(network.id, `10.0.${number}.0/24`);
    for (const host of bed.hosts) {
      const port = await bed.rest.createPort(network.id, host.name);
      ports.push({ host, id: port.id, mac: port.mac_address });
    }
  }
  return ports;
}

/** As if ports came up on the first host: the others have the flows then. */
async function measureFanouts(bed: Bed, network: Resource | undefined) {
  const receivers = bed.hosts.slice(1);
  const marks = await Promise.all(receivers.map((host) => marksOf(host)));
  const messaging = createMessaging({ transportUrl: 'rabbit://guest:guest@198.18.0.1:5672/' });
  const each: number[] = [];
  const last: number[] = [];
  for (let number = 0; number < FANOUTS; number++) {
    const mac = `fe:16:ff:00:00:${number.toString(16).padStart(2, '0')}`;
    const entries = {
      [network?.id ?? '']: {
        segment_id: network?.['provider:segmentation_id'],
        network_type: 'vxlan',
        ports: { [bed.host(1).underlay.ipv4]: [[mac, `192.0.2.${number + 1}`]] },
      },
    };
    // A poll's whole period, so that fanouts fall anywhere in it.
    await pause(Math.random() * 2_000);
    const since = performance.now();
    const arrivals = marks.map((mark) => mark(mac));
    await messaging.fanout(TARGET, 'add_fdb_entries', { fdb_entries: entries });
    const times = (await Promise.all(arrivals)).map((at) => at - since);
    each.push(...times);
    last.push(Math.max(...times));
  }
  await messaging.close();
  return { each, last };
}

/** Answers, for a MAC, when the host's tunnel bridge got a flow for it. */
async function marksOf(host: Host): Promise<(mac: string) => Promise<number>> {
  const waiting = new Map<string, (at: number) => void>();
  const client = await connectBridge('br-tun', { ...defaultSettings(), ovs_run_dir: runDirOf(host) });
  await client.flowMonitor(
    (update) => {
      if (update.event !== 'added' || update.flow.table !== 20) return;
      const { eth_dst: mac } = update.flow.decode().match;
      waiting.get(String(mac))?.(performance.now());
    },
    { table: 20 },
  );
  return (mac) => new Promise((resolve) => waiting.set(mac, resolve));
}

main(process.argv[2] === 'reference' ? 'reference' : 'patchbay').then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
