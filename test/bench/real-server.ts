import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bed, type Host, until } from '../support/bed';
import { untilReady } from '../support/bed-agent';
import { FIREWALL } from './agents';
import { type Exchange, Firehose } from './firehose';
import { WatchedSwitch } from './watched-switch';

/** One port at the real neutron-server, in milliseconds: from plugged to the server's word that it is ACTIVE. */
export interface ServerSample {
  readonly totalMs: number;
  /** Of that, the time in which a call of the agent's had not been answered. */
  readonly waitedMs: number;
}

const NETWORKS = 3;

/** Patchbay on a fresh host; ports on vxlan networks, one after another. */
export async function measureAtServer(count: number): Promise<readonly ServerSample[]> {
  const bed = await Bed.start({ hosts: 1, server: true });
  const host = bed.host(1);
  try {
    host.startPatchbay({ ini: { securitygroup: { firewall_driver: FIREWALL } } });
    await untilReady(host);
    await bed.rest.untilAgentIsAlive(host.name);
    const ports = await createPorts(bed, host, count);
    const firehose = await Firehose.open(bed.amqpUrl);
    const watched = await WatchedSwitch.open({ runDir: runDirOf(host), interfaceType: 'internal' });
    try {
      const samples: ServerSample[] = [];
      for (const port of ports) samples.push(await sample(watched, firehose, port));
      return samples;
    } finally {
      await watched.close();
      await firehose.close();
    }
  } finally {
    await bed.stop();
  }
}

/** The host's sockets as this process reaches them, which is outside of the host's mounts. */
export const runDirOf = (host: Host): string =>
  `/proc/${readFileSync(join(host.folder, 'pid'), 'utf8').trim()}/root/run/openvswitch`;

async function createPorts(bed: Bed, host: Host, count: number) {
  const networks: string[] = [];
  for (let number = 0; number < NETWORKS; number++) {
    const network = await bed.rest.createNetwork({ 'provider:network_type': 'vxlan' });
    await bed.rest.createSubnet(network.id, `10.${number}.0.0/24`);
    networks.push(network.id);
  }
  const ports = [];
  for (let index = 0; index < count; index++) {
    const port = await bed.rest.createPort(networks[index % NETWORKS] ?? '', host.name);
    ports.push({ id: port.id, macAddress: port.mac_address });
  }
  return ports;
}

async function sample(
  watched: WatchedSwitch,
  firehose: Firehose,
  port: { readonly id: string; readonly macAddress: string },
): Promise<ServerSample> {
  const since = performance.now();
  await watched.insert([port]);
  const isActive = ({ method, args, askedAt }: Exchange) =>
    askedAt > since && method === 'update_device_list' && args.includes(port.id);
  const report = await until(() => firehose.exchanges.find(isActive), { everyMs: 20, what: `${port.id} is ACTIVE` });
  const calls = firehose.exchanges.filter(({ askedAt, method }) => askedAt > since && method !== 'report_state');
  return { totalMs: report.answeredAt - since, waitedMs: covered(calls, report.answeredAt) };
}

/** The time in which at least one of the calls was unanswered. */
function covered(calls: readonly Exchange[], end: number): number {
  let total = 0;
  let upTo = 0;
  for (const { askedAt, answeredAt } of [...calls].sort((one, other) => one.askedAt - other.askedAt)) {
    const until = Math.min(answeredAt, end);
    total += Math.max(0, until - Math.max(askedAt, upTo));
    upTo = Math.max(upTo, until);
  }
  return total;
}
