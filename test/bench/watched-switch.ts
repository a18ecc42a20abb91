import { setTimeout as pause } from 'node:timers/promises';
import { OpenFlowConnection } from '../../core/switch/openflow';
import { OvsdbClient, type Uuid } from '../../core/switch/ovsdb';

/** A port to be plugged, as Nova would. */
export interface BenchPort {
  readonly id: string;
  readonly macAddress: string;
}

/** Milliseconds of `performance.now()`. `ofportAt` is the switch's own doing; `wiredAt` needs an agent. */
export interface Wiring {
  readonly pluggedAt: number;
  readonly ofportAt: number;
  readonly wiredAt: number;
}

interface Watched {
  readonly pluggedAt: number;
  ofport?: number;
  ofportAt?: number;
  taggedAt?: number;
}

export interface WatchedSwitchOptions {
  /** Where db.sock and the bridges' .mgmt sockets are. */
  readonly runDir: string;
  /** Of the interfaces that are plugged: `internal`, or `dummy` on a dummy datapath. */
  readonly interfaceType: string;
}

/** The VLAN that neither agent's wired port has: 4095, an unwired port's. */
const DEAD_VLAN = 4095;
const PATIENCE_MS = 120_000;

export const interfaceNameOf = (portId: string): string => `tap${portId.slice(0, 11)}`;

/** Plugs ports into br-int, and sees when they are wired: a living tag by the database's monitor, and flows about the port in the bridge's tables. */
export class WatchedSwitch {
  private readonly watched = new Map<string, Watched>();
  private changed: () => void = () => undefined;
  private integration: OpenFlowConnection | undefined;

  private constructor(
    private readonly options: WatchedSwitchOptions,
    readonly database: OvsdbClient,
  ) {
    database.on('changes', () => this.look());
  }

  static async open(options: WatchedSwitchOptions): Promise<WatchedSwitch> {
    const database = new OvsdbClient({
      target: `unix:${options.runDir}/db.sock`,
      tables: { Bridge: ['name'], Port: ['name', 'tag'], Interface: ['name', 'ofport'] },
    });
    database.start();
    await database.ready();
    return new WatchedSwitch(options, database);
  }

  async close(): Promise<void> {
    await this.integration?.close();
    await this.database.stop();
  }

  /** All in one transaction; resolves when every one is wired. */
  async plug(ports: readonly BenchPort[]): Promise<readonly Wiring[]> {
    await this.insert(ports);
    return this.wired(ports);
  }

  /** All in one transaction; resolves when the database has them. */
  async insert(ports: readonly BenchPort[]): Promise<void> {
    const bridge = await this.database.waitFor('br-int', () => this.find('Bridge', 'br-int'));
    const pluggedAt = performance.now();
    for (const { id } of ports) this.watched.set(interfaceNameOf(id), { pluggedAt });
    await this.database.transact((transaction) => {
      const rows = ports.map(({ id, macAddress }) => {
        const name = interfaceNameOf(id);
        const external_ids = { 'iface-id': id, 'attached-mac': macAddress, 'iface-status': 'active', 'vm-uuid': id };
        const row = transaction.insert('Interface', { name, type: this.options.interfaceType, external_ids });
        return transaction.insert('Port', { name, interfaces: [row] });
      });
      transaction.addTo('Bridge', bridge, 'ports', rows);
    });
  }

  /** Resolves when each of the ports that were inserted has a tag and flows. */
  async wired(ports: readonly BenchPort[]): Promise<readonly Wiring[]> {
    const names = ports.map(({ id }) => interfaceNameOf(id));
    const entries = names.flatMap((name) => this.watched.get(name) ?? []);
    await this.until('the ports are tagged', () => entries.every(({ taggedAt }) => taggedAt !== undefined));
    const flowsAt = await this.untilFlowsOf(entries.map(({ ofport }) => ofport ?? -1));
    return entries.map(({ pluggedAt, ofportAt = Number.NaN, taggedAt = Number.NaN }) => ({
      pluggedAt,
      ofportAt,
      wiredAt: Math.max(taggedAt, flowsAt),
    }));
  }

  /** All in one transaction; resolves when the switch has no flow about them left. */
  async unplug(ports: readonly BenchPort[]): Promise<void> {
    const bridge = this.uuid('Bridge', 'br-int');
    const numbers = ports.map(({ id }) => this.watched.get(interfaceNameOf(id))?.ofport ?? -1);
    const rows = ports.map(({ id }) => this.uuid('Port', interfaceNameOf(id)));
    await this.database.transact((transaction) => transaction.removeFrom('Bridge', bridge, 'ports', rows));
    for (const { id } of ports) this.watched.delete(interfaceNameOf(id));
    const connection = await this.openIntegration();
    const deadline = performance.now() + PATIENCE_MS;
    while (performance.now() < deadline) {
      const [number = -1] = numbers;
      const left = await connection.dumpFlows(numbers.length === 1 ? { match: { in_port: number } } : {});
      const named = new Set(left.map((flow) => flow.decode().match.in_port));
      if (!numbers.some((each) => named.has(each))) return;
      await pause(20);
    }
    throw new Error('the flows of ports that were unplugged are still there');
  }

  /** Counts the changes of br-int's flows, by whoever, until it is told to stop. */
  async countFlowChanges(): Promise<() => Promise<number>> {
    const target = { kind: 'unix', path: `${this.options.runDir}/br-int.mgmt` } as const;
    const connection = await OpenFlowConnection.connect({ bridge: 'br-int', target });
    let changes = 0;
    await connection.flowMonitor(({ event }) => {
      if (event === 'added' || event === 'removed' || event === 'modified') changes += 1;
    });
    return async () => {
      await connection.close();
      return changes;
    };
  }

  async flowCount(): Promise<number> {
    return (await (await this.openIntegration()).dumpFlows()).length;
  }

  private look(): void {
    const now = performance.now();
    for (const [name, watched] of this.watched) {
      if (watched.ofport === undefined) {
        const ofport = this.database.replica.table('Interface').findBy('name', name)?.ofport;
        if (ofport !== undefined && ofport > 0) Object.assign(watched, { ofport, ofportAt: now });
      }
      if (watched.taggedAt === undefined) {
        const tag = this.database.replica.table('Port').findBy('name', name)?.tag;
        if (tag !== undefined && tag !== DEAD_VLAN && watched.ofport !== undefined) watched.taggedAt = now;
      }
    }
    this.changed();
  }

  private async untilFlowsOf(numbers: readonly number[]): Promise<number> {
    const connection = await this.openIntegration();
    const [number = -1] = numbers;
    const deadline = performance.now() + PATIENCE_MS;
    // The dump shows the moment at which it was asked for.
    for (let askedAt = performance.now(); askedAt < deadline; askedAt = performance.now()) {
      const flows = await connection.dumpFlows(numbers.length === 1 ? { match: { in_port: number } } : {});
      const named = new Set(flows.map((flow) => flow.decode().match.in_port));
      if (numbers.every((each) => named.has(each))) return askedAt;
      await pause(5);
    }
    throw new Error('ports were tagged and have no flows');
  }

  private async openIntegration(): Promise<OpenFlowConnection> {
    const target = { kind: 'unix', path: `${this.options.runDir}/br-int.mgmt` } as const;
    this.integration ??= await OpenFlowConnection.connect({ bridge: 'br-int', target });
    return this.integration;
  }

  private async until(what: string, isSo: () => boolean): Promise<void> {
    if (isSo()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`gave up waiting until ${what}`)), PATIENCE_MS);
      this.changed = () => {
        if (!isSo()) return;
        clearTimeout(timer);
        this.changed = () => undefined;
        resolve();
      };
    });
  }

  private uuid(table: 'Bridge' | 'Port', name: string): Uuid {
    const uuid = this.find(table, name);
    if (uuid === undefined) throw new Error(`the switch has no ${table} ${name}`);
    return uuid;
  }

  private find(table: 'Bridge' | 'Port', name: string): Uuid | undefined {
    return this.database.replica.table(table).findBy('name', name)?._uuid;
  }
}
