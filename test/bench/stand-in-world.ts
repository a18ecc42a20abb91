import { randomUUID } from 'node:crypto';
import { standInNetwork, standInPort, standInSecurityGroup, standInSubnet } from '../support/stand-in-objects';
import { StandInServer } from '../support/stand-in-server';
import type { BenchPort } from './watched-switch';

const PORTS_OF_A_NETWORK = 20;

/** A stand-in server that knows some ports of one host: twenty on each vxlan network, all of one tenant's default security group. */
export async function standInWithPorts(
  host: string,
  count: number,
): Promise<{ readonly server: StandInServer; readonly ports: readonly BenchPort[] }> {
  const server = await StandInServer.start({ transportUrl: 'rabbit://guest:guest@127.0.0.1:5672/' });
  const group = randomUUID();
  // As neutron-server makes a tenant's default group: out to anybody, in from other members.
  const rules = (['IPv4', 'IPv6'] as const).flatMap((ethertype) => [
    { direction: 'egress', ethertype } as const,
    { direction: 'ingress', ethertype, remoteGroupId: group } as const,
  ]);
  server.preload('SecurityGroup', standInSecurityGroup(rules, group));
  const ports: BenchPort[] = [];
  for (let number = 0; ports.length < count; number++) {
    const network = standInNetwork({ networkType: 'vxlan', segmentationId: 1000 + number });
    const subnet = standInSubnet(network.id, `10.${number}.0.0/24`);
    server.preload('Network', network);
    server.preload('Subnet', subnet);
    for (let index = 0; index < PORTS_OF_A_NETWORK && ports.length < count; index++) {
      const macAddress = `fa:16:3e:00:${hexByte(number)}:${hexByte(index)}`;
      const fixedIps = [{ subnetId: subnet.id, address: `10.${number}.0.${10 + index}` }];
      const port = standInPort({ network, host, macAddress, fixedIps, securityGroupIds: [group] });
      server.preload('Port', port);
      ports.push({ id: port.id, macAddress });
    }
  }
  return { server, ports };
}

const hexByte = (value: number): string => value.toString(16).padStart(2, '0');

/** Resolves when the agent has reported every one of the ports up, since the given moment (`performance.now()`). */
export async function untilReportedUp(
  server: StandInServer,
  ports: readonly BenchPort[],
  since: number,
  patienceMs = 120_000,
): Promise<void> {
  const waiting = new Set(ports.map(({ id }) => id));
  const note = ({
    method,
    args,
    at,
  }: {
    method: string;
    args: Readonly<Record<string, unknown>>;
    at: number;
  }): void => {
    if (at < since) return;
    if (method === 'update_device_list') for (const id of args.devices_up as readonly string[]) waiting.delete(id);
    if (method === 'update_device_up') waiting.delete(String(args.device));
  };
  for (const call of server.received) note(call);
  if (waiting.size === 0) return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`${waiting.size} of ${ports.length} ports were not reported up in ${patienceMs} ms`));
    }, patienceMs);
    const stop = server.observe((call) => {
      note(call);
      if (waiting.size > 0) return;
      clearTimeout(timer);
      stop();
      resolve();
    });
  });
}
