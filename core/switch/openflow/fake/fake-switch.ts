import { type Action, FlowNotationError, type Group, type Meter, type ResolvePort } from '@patchbay/sdk/flow';
import type {
  FlowFilter,
  FlowMonitor,
  FlowMonitorOptions,
  FlowRemoved,
  FlowTableClient,
  FlowTableMessage,
  FlowUpdate,
  MeterFeatures,
  PacketIn,
  PacketOut,
  PortDescription,
  PortStatus,
  Unsubscribe,
} from '../client';
import { errorNamed, OpenFlowConnectionError, OpenFlowError } from '../errors';
import type { InstalledFlow } from '../installed-flow';
import { Listeners } from '../listeners';
import { FakeFlowTable, type FlowChange } from './flow-table';

/** Decides whether a message is refused, and under which name of OpenFlow's errors. */
export type Refusal = (message: FlowTableMessage) => string | undefined;

interface Monitor {
  readonly owner: FakeOpenFlowClient;
  readonly options: FlowMonitorOptions;
  readonly listener: (update: FlowUpdate) => void;
}

/** One bridge of a switch that is in memory: its tables outlive the connections to it. */
export class FakeOpenFlowSwitch {
  readonly table: FakeFlowTable;
  readonly groups = new Map<number, Group>();
  readonly meters = new Map<number, Meter>();
  /** What was sent out, in order. */
  readonly packetsOut: PacketOut[] = [];
  /** Every flow-mod, group-mod and meter-mod that took effect, in order. */
  readonly applied: FlowTableMessage[] = [];
  private readonly clients = new Set<FakeOpenFlowClient>();
  readonly monitors = new Set<Monitor>();
  private portList: PortDescription[] = [];
  private refusal: Refusal = () => undefined;

  constructor(readonly bridge: string) {
    this.table = new FakeFlowTable(bridge, (action) => this.knows(action));
  }

  private knows(action: Action): boolean {
    if (action.type === 'group') return this.groups.has(action.group);
    return action.type !== 'meter' || this.meters.has(action.meter);
  }

  connect(resolvePort: ResolvePort = () => undefined): FakeOpenFlowClient {
    const client = new FakeOpenFlowClient(this, resolvePort);
    this.clients.add(client);
    return client;
  }

  /** From now on refuses what the rule names; without a rule, nothing. */
  refuse(refusal: Refusal = () => undefined): void {
    this.refusal = refusal;
  }

  /** Every connection is lost, as when the switch restarts; its tables stay. */
  dropConnections(): void {
    for (const client of this.clients)
      client.lose(new OpenFlowConnectionError('the switch closed the OpenFlow connection'));
    this.clients.clear();
  }

  /** Comes back with empty tables, as ovs-vswitchd does when it is started again. */
  restart(): void {
    this.table.restore(new Map());
    this.groups.clear();
    this.meters.clear();
    this.dropConnections();
  }

  ports(): readonly PortDescription[] {
    return this.portList;
  }

  setPort(port: PortDescription): void {
    const reason = this.portList.some(({ name }) => name === port.name) ? 'modify' : 'add';
    this.portList = [...this.portList.filter(({ name }) => name !== port.name), port];
    for (const client of this.clients) client.portStatus.tell({ reason, port });
  }

  packetIn(packet: PacketIn): void {
    for (const client of this.clients) client.packetIn.tell(packet);
  }

  forget(client: FakeOpenFlowClient): void {
    this.clients.delete(client);
    for (const monitor of this.monitors) if (monitor.owner === client) this.monitors.delete(monitor);
  }

  /** @throws OpenFlowError as a switch refuses; the message then changed nothing. */
  apply(message: FlowTableMessage, resolve: ResolvePort): FlowChange[] {
    const refused = this.refusal(message);
    if (refused !== undefined) throw errorNamed(refused);
    const changes = this.change(message, resolve);
    this.applied.push(message);
    return changes;
  }

  private change(message: FlowTableMessage, resolve: ResolvePort): FlowChange[] {
    if (message.kind === 'flow') return this.table.apply(message, resolve);
    const [store, other] = message.kind === 'group' ? [this.groups, 'group'] : [this.meters, 'meter'];
    if (message.command === 'delete') {
      const id = message.kind === 'group' ? message.group : message.meter;
      if (!store.delete(id)) return [];
      return this.table.removeUsing(
        (action) =>
          action.type === other &&
          (action.type === 'group' ? action.group : action.type === 'meter' ? action.meter : -1) === id,
      );
    }
    const id = message.kind === 'group' ? message.group.group : message.meter.meter;
    if (message.command === 'add' && store.has(id))
      throw errorNamed(message.kind === 'group' ? 'OFPGMFC_GROUP_EXISTS' : 'OFPMMFC_METER_EXISTS');
    if (message.command === 'modify' && !store.has(id))
      throw errorNamed(message.kind === 'group' ? 'OFPGMFC_UNKNOWN_GROUP' : 'OFPMMFC_UNKNOWN_METER');
    if (message.kind === 'group') this.groups.set(id, message.group);
    else this.meters.set(id, message.meter);
    return [];
  }

  snapshot(): () => void {
    const flows = this.table.snapshot();
    const groups = [...this.groups];
    const applied = this.applied.length;
    return () => {
      this.table.restore(flows);
      this.groups.clear();
      for (const [id, group] of groups) this.groups.set(id, group);
      this.applied.length = applied;
    };
  }

  /** Tells monitors and, of flows that asked for it, every connection what was removed. */
  announce(changes: readonly FlowChange[], author: FakeOpenFlowClient, xid: number): void {
    for (const { event, flow } of changes) {
      for (const { owner, options, listener } of this.monitors) {
        if (options.table !== undefined && options.table !== flow.table) continue;
        listener(owner === author && options.own !== true ? { event: 'own', xid } : { event, flow });
      }
      if (event === 'removed' && (flow.flags & 1) !== 0) {
        const { table, priority, cookie } = flow;
        const removed = {
          reason: 2,
          table,
          priority,
          cookie,
          match: flow.decode().match,
          packetCount: 0n,
          byteCount: 0n,
        };
        for (const client of this.clients) client.flowRemoved.tell(removed);
      }
    }
  }
}

/** A connection to a fake switch. */
export class FakeOpenFlowClient implements FlowTableClient {
  readonly packetIn = new Listeners<PacketIn>();
  readonly portStatus = new Listeners<PortStatus>();
  readonly flowRemoved = new Listeners<FlowRemoved>();
  private readonly closed = new Listeners<Error | undefined>();
  private lost: Error | undefined;
  private xid = 1;

  constructor(
    private readonly target: FakeOpenFlowSwitch,
    private readonly resolvePort: ResolvePort,
  ) {}

  get bridge(): string {
    return this.target.bridge;
  }

  /** Answers after a turn of the event loop, as a socket would. */
  private async answer<Result>(act: () => Result): Promise<Result> {
    await Promise.resolve();
    if (this.lost !== undefined) throw this.lost;
    return act();
  }

  dumpFlows(filter: FlowFilter = {}): Promise<InstalledFlow[]> {
    return this.answer(() => this.target.table.select(filter, this.resolvePort));
  }

  dumpGroups(): Promise<Group[]> {
    return this.answer(() => [...this.target.groups.values()]);
  }

  dumpMeters(): Promise<Meter[]> {
    return this.answer(() => [...this.target.meters.values()]);
  }

  meterFeatures(): Promise<MeterFeatures> {
    return this.answer(() => ({ maxMeters: 65535, maxBands: 1 }));
  }

  portDescriptions(): Promise<PortDescription[]> {
    return this.answer(() => [...this.target.ports()]);
  }

  barrier(): Promise<void> {
    return this.answer(() => {});
  }

  private applyOne(message: FlowTableMessage, index: number): FlowChange[] {
    try {
      return this.target.apply(message, this.resolvePort);
    } catch (error) {
      if (error instanceof OpenFlowError) throw error.at(index, message);
      if (error instanceof Error) Object.assign(error, { messageIndex: index });
      throw error;
    }
  }

  bundle(messages: readonly FlowTableMessage[]): Promise<void> {
    return this.answer(() => {
      const meter = messages.findIndex(({ kind }) => kind === 'meter');
      if (meter >= 0)
        throw new FlowNotationError(
          'meter',
          `cannot travel in a bundle (message ${meter}): Open vSwitch refuses it; send meters before the bundle`,
        );
      const rollBack = this.target.snapshot();
      try {
        const changes = messages.map((message, index) => this.applyOne(message, index));
        for (const change of changes) this.target.announce(change, this, this.xid++);
      } catch (error) {
        rollBack();
        throw error;
      }
    });
  }

  send(messages: readonly FlowTableMessage[]): Promise<void> {
    return this.answer(() => {
      let first: unknown;
      messages.forEach((message, index) => {
        try {
          this.target.announce(this.applyOne(message, index), this, this.xid++);
        } catch (error) {
          first ??= error;
        }
      });
      if (first !== undefined) throw first;
    });
  }

  packetOut(packet: PacketOut): Promise<void> {
    return this.answer(() => {
      this.target.packetsOut.push(packet);
    });
  }

  flowMonitor(listener: (update: FlowUpdate) => void, options: FlowMonitorOptions = {}): Promise<FlowMonitor> {
    return this.answer(() => {
      const monitor: Monitor = { owner: this, options, listener };
      if (options.initial === true) {
        for (const flow of this.target.table.all())
          if (options.table === undefined || options.table === flow.table) listener({ event: 'initial', flow });
      }
      this.target.monitors.add(monitor);
      return {
        stop: () =>
          this.answer(() => {
            this.target.monitors.delete(monitor);
          }),
      };
    });
  }

  onPacketIn(listener: (packet: PacketIn) => void): Unsubscribe {
    return this.packetIn.add(listener);
  }

  onPortStatus(listener: (status: PortStatus) => void): Unsubscribe {
    return this.portStatus.add(listener);
  }

  onFlowRemoved(listener: (removed: FlowRemoved) => void): Unsubscribe {
    return this.flowRemoved.add(listener);
  }

  onClose(listener: (reason: Error | undefined) => void): Unsubscribe {
    return this.closed.add(listener);
  }

  /** Ends the connection from the switch's side. */
  lose(reason: Error): void {
    if (this.lost !== undefined) return;
    this.lost = reason;
    this.target.forget(this);
    this.closed.tell(reason);
  }

  async close(): Promise<void> {
    if (this.lost !== undefined) return;
    this.lost = new OpenFlowConnectionError('the OpenFlow connection was closed');
    this.target.forget(this);
    this.closed.tell(undefined);
  }
}
