import { randomUUID } from 'node:crypto';
import {
  type AgentIdentity,
  type AgentState,
  type ControlPlane,
  type ControlPlaneChange,
  type PortDescription,
  type PortReport,
  type RpcConnection,
  type RpcTarget,
  reasonOf,
  type TunnelEndpoint,
  type TunnelType,
  type UndescribablePort,
  type Unsubscribe,
} from '@patchbay/sdk';
import { describePort } from './describe';
import { NeutronErrors } from './errors';
import type { NetworkObject, PortObject } from './objects';

/** ML2's RPC topic, and the versions of its methods that the agent of Zed asks for. */
const PLUGIN = (version: string): RpcTarget => ({ topic: 'q-plugin', version });
const REPORTS: RpcTarget = { topic: 'q-reports-plugin', version: '1.2' };

/** What the server is told or asked twice it takes as once. */
const AGAIN = { idempotent: true } as const;

type Fields = Readonly<Record<string, unknown>>;
type Versions = Readonly<Record<string, string>>;

/** neutron-server, as those who wire ports see it. */
export class NeutronControlPlane implements ControlPlane {
  private readonly listeners = new Set<(change: ControlPlaneChange) => void>();
  /** Endpoints of each type that this host registered, as the server last listed them and announced since. */
  readonly registered = new Map<TunnelType, { readonly ipAddress: string; endpoints: readonly TunnelEndpoint[] }>();
  /** The versions that the server pushes in to this host, as far as it was told; `undefined` before the first report. */
  private taken: Versions | undefined;
  /** By port: while a port of this host uses a network, its changes are followed. */
  private readonly networkOf = new Map<string, string>();

  constructor(
    private readonly rpc: RpcConnection,
    private readonly identity: AgentIdentity,
    /** What is announced whether anybody follows it or not. */
    private readonly announcedVersions: Versions,
    /** How many ports one report names, each way. */
    private readonly step: number,
    /** Told which types the server did not push to this host until now: changes of them may have been missed. */
    private readonly onAnnounced: (types: readonly string[]) => void = () => undefined,
  ) {}

  async describePorts(portIds: readonly string[]): Promise<readonly (PortDescription | UndescribablePort)[]> {
    const ports = (await this.rpc.objects.load('Port', portIds)) as readonly PortObject[];
    for (const { id, network_id } of ports) this.networkOf.set(id, network_id);
    const networkIds = [...new Set(ports.map((port) => port.network_id))];
    const networks = (await this.rpc.objects.load('Network', networkIds)) as readonly NetworkObject[];
    const byId = new Map(networks.map((network) => [network.id, network]));
    return ports.map((port) => {
      try {
        return describePort(port, byId.get(port.network_id), this.identity.host);
      } catch (error) {
        return { id: port.id, error: reasonOf(error) };
      }
    });
  }

  async reportPorts({ up, down, refreshTunnels }: PortReport): Promise<{ readonly failed: readonly string[] }> {
    const failed: string[] = [];
    for (let from = 0; from < Math.max(up.length, down.length); from += this.step) {
      const answer = await this.rpc.call(
        PLUGIN('1.9'),
        'update_device_list',
        {
          devices_up: up.slice(from, from + this.step),
          devices_down: down.slice(from, from + this.step),
          agent_id: `ovs-agent-${this.identity.host}`,
          host: this.identity.host,
          refresh_tunnels: refreshTunnels,
        },
        AGAIN,
      );
      failed.push(
        ...list<string>(answer, 'update_device_list', 'failed_devices_up'),
        ...list<string>(answer, 'update_device_list', 'failed_devices_down'),
      );
    }
    return { failed };
  }

  async registerTunnelEndpoint(endpoint: {
    readonly tunnelType: TunnelType;
    readonly ipAddress: string;
  }): Promise<readonly TunnelEndpoint[]> {
    const answer = await this.rpc.call(
      PLUGIN('1.4'),
      'tunnel_sync',
      {
        tunnel_ip: endpoint.ipAddress,
        tunnel_type: endpoint.tunnelType,
        host: this.identity.host,
      },
      AGAIN,
    );
    const endpoints = list<Fields>(answer, 'tunnel_sync', 'tunnels').map(({ ip_address, host }) => {
      if (typeof ip_address !== 'string') throw NeutronErrors.badReply({ method: 'tunnel_sync', field: 'ip_address' });
      return { tunnelType: endpoint.tunnelType, ipAddress: ip_address, ...(typeof host === 'string' ? { host } : {}) };
    });
    this.registered.set(endpoint.tunnelType, { ipAddress: endpoint.ipAddress, endpoints });
    return endpoints;
  }

  /** The server announced that an endpoint came or went. */
  announced(endpoint: TunnelEndpoint, presence: 'there' | 'gone'): void {
    const registration = this.registered.get(endpoint.tunnelType);
    if (registration === undefined) return;
    const others = registration.endpoints.filter(({ ipAddress }) => ipAddress !== endpoint.ipAddress);
    registration.endpoints = presence === 'there' ? [...others, endpoint] : others;
  }

  async reportState(
    state: AgentState,
    options?: { readonly timeoutMs: number },
  ): Promise<'new' | 'alive' | 'revived' | 'unknown'> {
    const versions = { ...this.announcedVersions, ...(await this.rpc.objects.versions()) };
    const answer = await this.rpc.call(
      REPORTS,
      'report_state',
      {
        agent_state: {
          agent_state: {
            binary: 'neutron-openvswitch-agent',
            host: this.identity.host,
            topic: 'N/A',
            agent_type: 'Open vSwitch agent',
            configurations: state.configurations,
            uuid: randomUUID(),
            ...(state.startFlag ? { start_flag: true } : {}),
            ...(this.taken !== undefined && isSame(this.taken, versions) ? {} : { resource_versions: versions }),
          },
        },
        // Python's '%Y-%m-%dT%H:%M:%S.%f', in UTC.
        time: new Date().toISOString().replace('Z', '000'),
      },
      options,
    );
    const before = this.taken ?? this.announcedVersions;
    this.taken = versions;
    const fresh = Object.keys(versions).filter((type) => versions[type] !== before[type]);
    if (fresh.length > 0) this.onAnnounced(fresh);
    return answer === 'new' || answer === 'alive' || answer === 'revived' ? answer : 'unknown';
  }

  /** False while the server answers that its database is away. */
  async isServerAlive(): Promise<boolean> {
    return (await this.rpc.call(REPORTS, 'has_alive_neutron_server', {}, AGAIN)) !== false;
  }

  forgetPort(portId: string): void {
    this.rpc.objects.forget('Port', portId);
    const networkId = this.networkOf.get(portId);
    this.networkOf.delete(portId);
    if (networkId === undefined || [...this.networkOf.values()].includes(networkId)) return;
    this.rpc.objects.forget('Network', networkId);
  }

  subscribe(listener: (change: ControlPlaneChange) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  publish(change: ControlPlaneChange): void {
    for (const listener of this.listeners) listener(change);
  }
}

function isSame(one: Versions, other: Versions): boolean {
  const types = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...types].every((type) => one[type] === other[type]);
}

function list<T>(answer: unknown, method: string, field: string): readonly T[] {
  const value = (answer as Fields | null | undefined)?.[field];
  if (!Array.isArray(value)) throw NeutronErrors.badReply({ method, field });
  return value as readonly T[];
}
