/**
 * Fanouts of forwarding entries to three real agents on three hosts, received → on the switch; and what they hold at the broker:
 *   test/bed/enter node -r ./test/demo/load-typescript.js test/bench/fanout.ts patchbay|reference
 */
import { execFileSync } from 'node:child_process';
import { defaultSettings } from '../../core/kernel/config/settings';
import { createMessaging } from '../../core/rpc';
import { percentile } from '../../core/simulate/fanouts';
import { processorMs } from '../../core/simulate/processor-time';
import { connectBridge } from '../../core/switch/openflow-targets';
import { Bed, type Host } from '../support/bed';
import { untilReady } from '../support/bed-agent';
import { brokerLoad } from './broker';
import { runDirOf } from './real-server';

const HOSTS = 3;
const FANOUTS = 40;
const REST_MS = 30_000;
const TARGET = { topic: 'q-agent-notifier-l2population-update', version: '1.0' };
const INI = {
  agent: { tunnel_types: 'vxlan', l2_population: true, arp_responder: true },
  securitygroup: { firewall_driver: 'openvswitch' },
};

async function main(name: string): Promise<void> {
  const bed = await Bed.start({ hosts: HOSTS, server: true });
  const before = await brokerLoad();
  for (const host of bed.hosts) {
    if (name === 'reference') host.startReferenceAgent(INI);
    else host.startPatchbay({ ini: INI });
  }
  if (name !== 'reference') await Promise.all(bed.hosts.map((host) => untilReady(host)));
  await Promise.all(bed.hosts.map((host) => bed.rest.untilAgentIsAlive(host.name)));
  const network = await bed.rest.createNetwork();
  await bed.rest.createSubnet(network.id, '10.0.0.0/24');
  const ids: string[] = [];
  for (const host of bed.hosts) {
    const port = await bed.rest.createPort(network.id, host.name);
    await host.plug(port.id, port.mac_address);
    ids.push(port.id);
  }
  await bed.rest.untilPortsAre('ACTIVE', ids);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  const load = await brokerLoad();
  const cpu = { server: processorMs('neutron-server'), at: performance.now() };
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  const serverShare = ((processorMs('neutron-server') - cpu.server) / (performance.now() - cpu.at)) * 100;
  const receivers = bed.hosts.slice(1);
  const marks = await Promise.all(receivers.map((host) => marksOf(host)));
  const messaging = createMessaging({ transportUrl: 'rabbit://guest:guest@198.18.0.1:5672/' });
  const each: number[] = [];
  const last: number[] = [];
  for (let number = 0; number < FANOUTS; number++) {
    const mac = `fe:16:ff:00:00:${number.toString(16).padStart(2, '0')}`;
    const entries = {
      [network.id]: {
        segment_id: network['provider:segmentation_id'],
        network_type: 'vxlan',
        ports: { [bed.host(1).underlay.ipv4]: [[mac, `192.0.2.${number + 1}`]] },
      },
    };
    // A poll's whole period, so that fanouts fall anywhere in it.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 2_000));
    const since = performance.now();
    const arrivals = marks.map((mark) => mark(mac));
    await messaging.fanout(TARGET, 'add_fdb_entries', { fdb_entries: entries });
    const times = (await Promise.all(arrivals)).map((at) => at - since);
    each.push(...times);
    last.push(Math.max(...times));
  }
  const ms = (values: readonly number[], part: number): string => `${percentile(values, part).toFixed(1)} ms`;
  console.log(
    `${name}, ${HOSTS} agents: ${load.connections - before.connections} connections, ${load.queues - before.queues} queues`,
  );
  console.log(`at rest: server CPU ${serverShare.toFixed(1)} %`);
  console.log(
    `an agent's flow p50 ${ms(each, 0.5)}, p99 ${ms(each, 0.99)}; the last agent's p50 ${ms(last, 0.5)}, p99 ${ms(last, 0.99)}`,
  );
  console.log(`load of the machine: ${execFileSync('cat', ['/proc/loadavg'], { encoding: 'utf8' }).trim()}`);
  await messaging.close();
  await bed.stop();
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

main(process.argv[2] ?? 'patchbay').then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
