import { type UntilOptions, until } from './bed-command';

/** An object as neutron-server's REST API gives it; the fields the tests use most have their types. */
export interface Resource {
  readonly id: string;
  readonly name?: string;
  readonly [field: string]: unknown;
}

export interface NeutronPort extends Resource {
  readonly network_id: string;
  readonly mac_address: string;
  readonly status: 'ACTIVE' | 'DOWN' | 'BUILD' | 'ERROR' | 'N/A';
  readonly device_id: string;
  readonly device_owner: string;
  readonly security_groups: readonly string[];
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
}

export interface NeutronAgent extends Resource {
  readonly host: string;
  readonly binary: string;
  readonly agent_type: string;
  readonly alive: boolean;
  readonly configurations: Readonly<Record<string, unknown>>;
}

type Fields = Readonly<Record<string, unknown>>;

/** neutron-server answered with an HTTP error. */
export class NeutronRefused extends Error {
  override readonly name = 'NeutronRefused';

  constructor(
    readonly request: string,
    readonly status: number,
    readonly answer: string,
  ) {
    super(`${request} was answered ${status}: ${answer}`);
  }
}

/** Of what reset() removes, in an order in which nothing removed is still in use. */
const REMOVAL_ORDER = [
  'floatingips',
  'trunks',
  'log/logs',
  'local_ips',
  'ports',
  'subnets',
  'networks',
  'routers',
  'security-groups',
  'qos/policies',
  'address-groups',
  'agents',
] as const;

/** The bed's neutron-server, as project p1, without authentication. Every method takes and gives the API's own field names. */
export class NeutronRest {
  constructor(private readonly root = 'http://127.0.0.1:9696/v2.0') {}

  async request(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: Fields): Promise<unknown> {
    const response = await fetch(`${this.root}/${path}`, {
      method,
      headers: { 'X-Project-Id': 'p1', 'Content-Type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new NeutronRefused(`${method} ${path}`, response.status, text);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Creates one of a collection: `create('security-groups', { name: 'web' })`. */
  async create<T extends Resource = Resource>(collection: string, fields: Fields): Promise<T> {
    const key = singular(collection);
    const answer = await this.request('POST', collection, { [key]: { tenant_id: 'p1', ...fields } });
    return (answer as Record<string, T>)[key] as T;
  }

  async update<T extends Resource = Resource>(collection: string, id: string, fields: Fields): Promise<T> {
    const key = singular(collection);
    const answer = await this.request('PUT', `${collection}/${id}`, { [key]: fields });
    return (answer as Record<string, T>)[key] as T;
  }

  async show<T extends Resource = Resource>(collection: string, id: string): Promise<T> {
    const answer = await this.request('GET', `${collection}/${id}`);
    return (answer as Record<string, T>)[singular(collection)] as T;
  }

  async list<T extends Resource = Resource>(collection: string, query: Readonly<Record<string, string>> = {}) {
    const answer = await this.request('GET', `${collection}?${new URLSearchParams(query)}`);
    return (answer as Record<string, readonly T[]>)[lastWord(collection)] ?? [];
  }

  async remove(collection: string, id: string): Promise<void> {
    await this.request('DELETE', `${collection}/${id}`);
  }

  createNetwork(fields: Fields = {}): Promise<Resource> {
    return this.create('networks', { name: 'network', ...fields });
  }

  /** The server draws ports' addresses by chance. Of an IPv4 network of 256 it draws from 101 on: those below are for tests that name one. */
  createSubnet(networkId: string, cidr: string, fields: Fields = {}): Promise<Resource> {
    const ip_version = cidr.includes(':') ? 6 : 4;
    const subnet = { network_id: networkId, cidr, ip_version, enable_dhcp: false, ...drawnFrom(cidr), ...fields };
    return this.create('subnets', subnet);
  }

  /** A port of an instance on that host, as Nova asks for one: bound, with a device. More, or other, fields as given. */
  createPort(networkId: string, host: string, fields: Fields = {}): Promise<NeutronPort> {
    return this.create<NeutronPort>('ports', {
      network_id: networkId,
      'binding:host_id': host,
      device_owner: 'compute:nova',
      device_id: crypto.randomUUID(),
      ...fields,
    });
  }

  updatePort(id: string, fields: Fields): Promise<NeutronPort> {
    return this.update<NeutronPort>('ports', id, fields);
  }

  deletePort(id: string): Promise<void> {
    return this.remove('ports', id);
  }

  port(id: string): Promise<NeutronPort> {
    return this.show<NeutronPort>('ports', id);
  }

  agents(): Promise<readonly NeutronAgent[]> {
    return this.list<NeutronAgent>('agents');
  }

  /** Waits until every one of the ports has the status. */
  async untilPortsAre(
    status: NeutronPort['status'],
    ids: readonly string[],
    options: UntilOptions = {},
  ): Promise<void> {
    let seen: readonly string[] = [];
    await until(
      async () => {
        seen = (await Promise.all(ids.map((id) => this.port(id)))).map((port) => port.status);
        if (seen.every((one) => one === status)) return true;
        throw new Error(`status ${seen.join(', ')}`);
      },
      { timeoutMs: 120_000, what: `ports ${ids.join(', ')} are ${status}`, ...options },
    );
  }

  /** Waits until the host's Open vSwitch agent is registered and alive. Ports bound before that fail to bind. */
  untilAgentIsAlive(host: string, options: UntilOptions = {}): Promise<NeutronAgent> {
    return until(async () => (await this.agents()).find((agent) => agent.host === host && agent.alive), {
      timeoutMs: 120_000,
      what: `the agent of ${host} is alive`,
      ...options,
    });
  }

  /**
   * Removes all that any test made: what is left is a server as on its first day. It looks until there is nothing to remove: an agent's
   * last words, which the server reads when the agent has ended, make the agent known again.
   */
  async empty(): Promise<void> {
    await until(async () => (await this.removeAll()) === 0, { what: 'the server is empty', everyMs: 1 });
  }

  /** Answers how many there were. */
  private async removeAll(): Promise<number> {
    let found = 0;
    for (const collection of REMOVAL_ORDER) {
      for (const resource of await this.list(collection)) {
        // That of a project that is no more stays without this, and that of ours is made anew when it is next looked for.
        const isDefaultGroup = collection === 'security-groups' && resource.name === 'default';
        if (!isDefaultGroup) found += 1;
        await this.removeInTheEnd(collection, resource.id);
      }
    }
    return found;
  }

  /** The server answers 409 while it still writes what hangs on a resource; 404 means the goal is reached. */
  private removeInTheEnd(collection: string, id: string): Promise<true> {
    const isGone = async (): Promise<true> => {
      await this.remove(collection, id).catch((error) => {
        if (!(error instanceof NeutronRefused && error.status === 404)) throw error;
      });
      return true;
    };
    return until(isGone, { what: `${collection} ${id} is removed` });
  }
}

function drawnFrom(cidr: string): Fields {
  const [, prefix] = /^(\d+\.\d+\.\d+)\.0\/24$/.exec(cidr) ?? [];
  return prefix === undefined ? {} : { allocation_pools: [{ start: `${prefix}.101`, end: `${prefix}.254` }] };
}

const lastWord = (collection: string): string => (collection.split('/').at(-1) ?? collection).replaceAll('-', '_');

/** `qos/policies` → `policy`, `security-groups` → `security_group`. */
const singular = (collection: string): string => lastWord(collection).replace(/ies$/, 'y').replace(/s$/, '');
