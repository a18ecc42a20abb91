import {
  createMessaging,
  type Endpoint,
  type Endpoints,
  encodeVersionedObject,
  type Messaging,
  type MessagingOptions,
  PUSH_VERSION,
  RpcFailure,
  resourceTopic,
} from '../../core/rpc';
import type { StandInObject } from './stand-in-objects';

export interface ReceivedCall {
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Milliseconds of performance.now(). */
  readonly at: number;
}

interface Tunnel {
  readonly ip_address: string;
  readonly host: string;
  readonly type: string;
  readonly udp_port?: number;
}

/** The versions a server of Zed pushes and serves. */
const ZED_VERSIONS: Readonly<Record<string, string>> = {
  Port: '1.7',
  Network: '1.1',
  Subnet: '1.1',
  SecurityGroup: '1.5',
  SecurityGroupRule: '1.2',
  AddressGroup: '1.2',
  QosPolicy: '1.10',
  Trunk: '1.1',
  SubPort: '1.0',
  Log: '1.0',
  LocalIPAssociation: '1.0',
};
/** VXLAN's port by RFC 7348, which Neutron tells the agents. */
const VXLAN_PORT = 4789;

/**
 * Answers agents as neutron-server does, at once and from memory: for benchmarks that measure the agent and for tests that need a
 * server with known content. Serves this project's agent and the reference one alike.
 */
export class StandInServer {
  /** Every call and cast, in the order of arrival. */
  readonly received: ReceivedCall[] = [];
  /** The last state each host reported. */
  readonly agents = new Map<string, Readonly<Record<string, unknown>>>();
  private readonly objects = new Map<string, Map<string, StandInObject>>();
  private readonly tunnels = new Map<string, Tunnel>();
  private readonly observers = new Set<(call: ReceivedCall) => void>();

  private constructor(readonly messaging: Messaging) {}

  /** Resolves when agents can call. */
  static async start(options: MessagingOptions): Promise<StandInServer> {
    const messaging = createMessaging({ connectionName: 'stand-in-server', ...options });
    const server = new StandInServer(messaging);
    const listen = (topic: string, version: string, endpoints: Endpoints, namespace?: string) =>
      messaging.listen(
        { topic, version, shared: true, ...(namespace !== undefined && { namespace }) },
        server.watched(endpoints),
      ).ready;
    const connected = new Promise<void>((resolve) => messaging.once('connected', resolve));
    await connected;
    await Promise.all([
      listen('q-plugin', '1.9', server.pluginEndpoints()),
      listen('q-reports-plugin', '1.4', server.reportEndpoints()),
      listen('trunk', '1.0', server.trunkEndpoints(), 'trunk'),
      listen(
        'logging-plugin',
        '1.1',
        { get_sg_log_info_for_port: () => [], get_sg_log_info_for_log_resources: () => [] },
        'logging-plugin',
      ),
    ]);
    return server;
  }

  get<Found extends StandInObject>(type: string, id: string): Found | undefined {
    return this.shelf(type).get(id) as Found | undefined;
  }

  /** Puts objects in place without telling anybody. */
  preload(type: string, ...objects: readonly StandInObject[]): void {
    for (const object of objects) this.shelf(type).set(object.id, object);
    if (type === 'SecurityGroup') {
      for (const { rules } of objects)
        if (Array.isArray(rules)) this.preload('SecurityGroupRule', ...(rules as StandInObject[]));
    }
  }

  /** Puts an object in place, or changes fields of it under the next revision, and pushes it. */
  async update(type: string, id: string, fields: Readonly<Record<string, unknown>>): Promise<StandInObject> {
    const old = this.shelf(type).get(id);
    const object = { ...old, ...fields, id, revision_number: Number(old?.revision_number ?? 0) + 1 };
    this.preload(type, object);
    await this.push(type, 'updated', object);
    return object;
  }

  /** Removes an object and pushes its deletion, with the id alone as the server does. */
  async remove(type: string, id: string): Promise<void> {
    this.shelf(type).delete(id);
    await this.push(type, 'deleted', { id });
  }

  async push(
    type: string,
    event: 'created' | 'updated' | 'deleted',
    ...objects: readonly StandInObject[]
  ): Promise<void> {
    const version = ZED_VERSIONS[type] ?? '1.0';
    const primitives = objects.map((object) => encodeVersionedObject(type, object, version));
    const target = { topic: resourceTopic(type, version), version: PUSH_VERSION };
    await this.messaging.fanout(target, 'push', { resource_list: primitives, event_type: event });
  }

  /** Calls back for each message from now on; returns how to stop. */
  observe(observer: (call: ReceivedCall) => void): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  /** The next call of that method which satisfies the condition, or an earlier one. */
  whenCalled(method: string, condition: (call: ReceivedCall) => boolean = () => true): Promise<ReceivedCall> {
    const matches = (call: ReceivedCall) => call.method === method && condition(call);
    const earlier = this.received.find(matches);
    if (earlier) return Promise.resolve(earlier);
    return new Promise((resolve) => {
      const stop = this.observe((call) => {
        if (!matches(call)) return;
        stop();
        resolve(call);
      });
    });
  }

  close(): Promise<void> {
    return this.messaging.close();
  }

  private watched(endpoints: Endpoints): Endpoints {
    const watch =
      (method: string, endpoint: Endpoint): Endpoint =>
      (context, args) => {
        const call = { method, args, at: performance.now() };
        this.received.push(call);
        for (const observer of [...this.observers]) observer(call);
        return endpoint(context, args);
      };
    return Object.fromEntries(Object.entries(endpoints).map(([method, endpoint]) => [method, watch(method, endpoint)]));
  }

  private reportEndpoints(): Endpoints {
    return {
      has_alive_neutron_server: () => true,
      report_state: (_, { agent_state }) => {
        const state = (agent_state as { agent_state: { host: string } & Record<string, unknown> }).agent_state;
        const known = this.agents.has(state.host);
        this.agents.set(state.host, state);
        return known ? 'alive' : 'new';
      },
    };
  }

  private pluginEndpoints(): Endpoints {
    return {
      pull: (_, { resource_type, version, resource_id }) =>
        this.pull(String(resource_type), String(version), String(resource_id)),
      bulk_pull: (_, { resource_type, version, filter_kwargs }) =>
        this.bulkPull(
          String(resource_type),
          String(version),
          (filter_kwargs ?? {}) as Record<string, readonly unknown[]>,
        ),
      tunnel_sync: (_, args) => this.tunnelSync(args as { tunnel_ip: string; tunnel_type: string; host: string }),
      get_network_details: (_, { network }) => this.networkDetails(String(network)),
      update_device_list: (_, { devices_up, devices_down }) =>
        this.devices(devices_up as string[], devices_down as string[]),
      update_device_up: (_, { device }) => void this.setStatus(String(device), 'ACTIVE'),
      update_device_down: (_, { device }) => ({ device, exists: this.setStatus(String(device), 'DOWN') }),
      get_ports_by_vnic_type_and_host: () => [],
      get_dvr_mac_address_list: () => [],
    };
  }

  private trunkEndpoints(): Endpoints {
    return {
      update_subport_bindings: (_, { subports }) => {
        const bound: Record<string, unknown[]> = {};
        for (const { trunk_id, port_id } of subports as { trunk_id: string; port_id: string }[]) {
          const ports = bound[trunk_id] ?? [];
          bound[trunk_id] = [...ports, this.get('Port', port_id) ?? { id: port_id }];
        }
        return bound;
      },
      update_trunk_status: () => null,
    };
  }

  private pull(type: string, version: string, id: string): unknown {
    const byParent =
      type === 'Trunk' ? [...this.shelf(type).values()].find(({ port_id }) => port_id === id) : undefined;
    const object = byParent ?? this.shelf(type).get(id);
    return object ? encodeVersionedObject(type, object, this.servable(type, version)) : null;
  }

  private bulkPull(type: string, version: string, filter: Readonly<Record<string, readonly unknown[]>>): unknown {
    const served = this.servable(type, version);
    const ids = filter.id;
    const candidates = ids ? ids.map((id) => this.shelf(type).get(String(id))) : [...this.shelf(type).values()];
    return candidates
      .filter((object) => object !== undefined)
      .filter((object) => Object.entries(filter).every(([field, values]) => holdsOneOf(object[field], values)))
      .map((object) => encodeVersionedObject(type, object, served));
  }

  /** A server refuses a version newer than its own, and writes an older one as asked. */
  private servable(type: string, version: string): string {
    const own = ZED_VERSIONS[type] ?? '1.0';
    if (Number(version.split('.')[1]) > Number(own.split('.')[1])) {
      const text = `the server has ${type} ${own}, not ${version}`;
      throw new RpcFailure('InvalidTargetVersion', 'oslo_versionedobjects.exception', text);
    }
    return version;
  }

  private tunnelSync({
    tunnel_ip,
    tunnel_type,
    host,
  }: {
    tunnel_ip: string;
    tunnel_type: string;
    host: string;
  }): unknown {
    const udp = tunnel_type === 'vxlan' ? { udp_port: VXLAN_PORT } : {};
    this.tunnels.set(`${tunnel_type} ${tunnel_ip}`, { ip_address: tunnel_ip, host, type: tunnel_type, ...udp });
    const update = { topic: 'q-agent-notifier-tunnel-update', version: '1.0' };
    this.messaging.fanout(update, 'tunnel_update', { tunnel_ip, tunnel_type }).catch(() => undefined);
    const same = [...this.tunnels.values()].filter(({ type }) => type === tunnel_type);
    return { tunnels: same.map(({ type: _, ...tunnel }) => tunnel) };
  }

  private networkDetails(id: string): unknown {
    const network = this.get('Network', id);
    if (!network) return null;
    const [segment] = network.segments as readonly Readonly<Record<string, unknown>>[];
    return {
      id,
      name: network.name,
      tenant_id: network.project_id,
      project_id: network.project_id,
      admin_state_up: true,
      mtu: network.mtu,
      status: 'ACTIVE',
      subnets: [],
      shared: false,
      'router:external': false,
      vlan_transparent: null,
      port_security_enabled: true,
      qos_policy_id: network.qos_policy_id ?? null,
      'provider:network_type': segment?.network_type,
      'provider:physical_network': segment?.physical_network ?? null,
      'provider:segmentation_id': segment?.segmentation_id ?? null,
    };
  }

  private devices(up: readonly string[], down: readonly string[]): unknown {
    return {
      devices_up: up.filter((device) => this.setStatus(device, 'ACTIVE')),
      failed_devices_up: [],
      devices_down: down.map((device) => ({ device, exists: this.setStatus(device, 'DOWN') })),
      failed_devices_down: [],
    };
  }

  /** False for a port that does not exist. A status that changes is pushed, as the server does. */
  private setStatus(id: string, status: string): boolean {
    const port = this.get('Port', id);
    if (port && port.status !== status) this.update('Port', id, { status }).catch(() => undefined);
    return port !== undefined;
  }

  private shelf(type: string): Map<string, StandInObject> {
    const shelf = this.objects.get(type) ?? new Map<string, StandInObject>();
    this.objects.set(type, shelf);
    return shelf;
  }
}

function holdsOneOf(value: unknown, wanted: readonly unknown[]): boolean {
  return Array.isArray(value) ? value.some((each) => wanted.includes(each)) : wanted.includes(value);
}
