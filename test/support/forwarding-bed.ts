import type { Announcer, BoundSegment, HookCalls, PortDirectory, PortState, Rpc, Segment } from '@patchbay/sdk';
import { ArpResponderConfig } from '../../plugins/arp-responder/config';
import { ArpResponder } from '../../plugins/arp-responder/plugin';
import { L2PopulationConfig } from '../../plugins/l2-population/config';
import { L2Population } from '../../plugins/l2-population/plugin';
import { TunnelsConfig } from '../../plugins/tunnels/config';
import { Tunnels } from '../../plugins/tunnels/plugin';
import {
  boundPort,
  FakeDesired,
  FakeEffects,
  FakeHealth,
  FakeHooks,
  FakeJobs,
  FakeLogger,
  FakeSwitch,
  FakeSynchronisation,
  IDENTITY,
} from './plugin-kit';

type Methods = Parameters<Rpc['listen']>[1];

/** The broker and the server, as far as forwarding entries go: what is sent to the host's queue is delivered in its order. */
export class EntriesServer {
  methods: Methods = {};
  /** Port ids of each report that asked for entries. */
  readonly asked: (readonly string[])[] = [];
  /** Sent to the host when a report asks for entries: the full table. */
  full: unknown = {};
  away = false;
  private restored: () => void = () => {};

  readonly rpc = {
    listen: (_target: unknown, methods: Methods) => {
      this.methods = methods;
      return () => {};
    },
    cast: async (_target: unknown, method: string, args: Readonly<Record<string, unknown>>) => {
      this.methods[method]?.(args, 'test');
    },
    onRestored: (listener: () => void) => {
      this.restored = listener;
      return () => {};
    },
  } as unknown as Rpc;

  send(method: string, fdbEntries: unknown, host?: string): void {
    this.methods[method]?.({ fdb_entries: fdbEntries, ...(host === undefined ? {} : { host }) }, 'test');
  }

  async answer(portIds: readonly string[]): Promise<void> {
    if (this.away) throw new Error('the server does not answer');
    this.asked.push(portIds);
    if (portIds.length > 0) this.send('add_fdb_entries', this.full, IDENTITY.host);
  }

  restore(): void {
    this.restored();
  }
}

/** tunnels, l2-population and arp-responder together, each with a desired state of its own. */
export class ForwardingBed {
  readonly fake = new FakeHooks();
  readonly view = new FakeSwitch();
  readonly server = new EntriesServer();
  readonly jobs = new FakeJobs();
  readonly health = new FakeHealth();
  readonly effects = new FakeEffects();
  readonly synchronisation = new FakeSynchronisation();
  readonly tunnels = new FakeDesired();
  readonly entries = new FakeDesired();
  readonly answers = new FakeDesired();
  ports: PortState[] = [];
  private readonly plugins: { tap(hooks: FakeHooks['hooks']): void; start?(): Promise<void> | void }[];

  constructor(options: { readonly responder?: Readonly<Record<string, unknown>> } = {}) {
    const { view, jobs, health, effects, synchronisation, server } = this;
    const controlPlane = {
      registerTunnelEndpoint: async () => [{ tunnelType: 'vxlan', ipAddress: '10.0.0.99' }],
    } as never;
    const directory: PortDirectory = {
      ports: async () => this.ports,
      segments: async () => [],
      askForForwarding: (ids) => server.answer(ids),
      beforeTold: () => () => {},
    };
    const config = TunnelsConfig.parse({ local_ip: '127.0.0.1', tunnel_types: 'vxlan' });
    const announcer = this.announcer();
    this.plugins = [
      new Tunnels(
        config,
        IDENTITY,
        controlPlane,
        synchronisation,
        view,
        this.tunnels,
        announcer,
        effects,
        jobs,
        health,
        new FakeLogger(),
      ),
      new L2Population(
        L2PopulationConfig.parse({ local_ip: '127.0.0.1' }),
        IDENTITY,
        announcer,
        synchronisation,
        view,
        server.rpc,
        directory,
        this.entries,
        jobs,
        health,
        new FakeLogger(),
      ),
      new ArpResponder(ArpResponderConfig.parse(options.responder ?? {}), IDENTITY, view, this.answers),
    ];
  }

  async start(): Promise<this> {
    for (const plugin of this.plugins) plugin.tap(this.fake.hooks);
    for (const plugin of this.plugins) await plugin.start?.();
    await this.jobs.settle();
    return this;
  }

  /** Binds a segment, with one port that is up. */
  async bind(segment: Segment, localVlan: number): Promise<BoundSegment> {
    const bound = { segment, localVlan };
    const id = `port-of-${segment.networkId}`;
    const port = boundPort({ id }, segment, localVlan);
    this.ports.push({ vif: port.vif, state: 'up', bound: port, history: [] });
    await this.fake.fire('onSegmentBound', bound);
    await this.fake.fire('onPortAdded', port);
    await this.jobs.settle();
    return bound;
  }

  async release(bound: BoundSegment): Promise<void> {
    this.ports = this.ports.filter((port) => port.bound?.segment.networkId !== bound.segment.networkId);
    await this.fake.fire('onSegmentReleased', bound);
    await this.jobs.settle();
  }

  async synced(): Promise<void> {
    await this.fake.fire('onAgentSynced', { ports: this.ports.length });
    await this.jobs.settle();
  }

  async send(method: 'add_fdb_entries' | 'remove_fdb_entries' | 'update_fdb_entries', fdb: unknown): Promise<void> {
    this.server.send(method, fdb);
    await this.jobs.settle();
  }

  /** Names of the tunnel ports that are wanted. */
  get tunnelPorts(): readonly string[] {
    return [...this.tunnels.stated.values()]
      .flatMap((records) => records.ports ?? [])
      .filter(({ kind }) => kind === 'tunnel')
      .map(({ name }) => name)
      .sort();
  }

  private announcer(): Announcer {
    const calls = {
      tell: async (hook: never, payload: never) => {
        await this.fake.fire(hook, payload);
        return { failures: [] };
      },
      resolveTunnelPort: async (question: never) =>
        (await this.fake.fire('resolveTunnelPort', question)).find((answer) => answer !== undefined),
    } as unknown as HookCalls;
    return {
      event: async (_cause, act) => ({ value: await act(calls), acknowledged: async () => [] }),
      onProgress: () => () => {},
    };
  }
}
