import type {
  BridgeView,
  Flow,
  PortView,
  SwitchChange,
  SwitchSummary,
  SwitchView,
  TrackedConnection,
  Unsubscribe,
} from '@patchbay/sdk';
import type { Conntrack } from './conntrack/conntrack';
import type { Board } from './planner/board';
import type { BridgeRow, PortRow, Rows } from './planner/rows';
import type { MirrorChange, MirrorChanges } from './rows-mirror';

interface ViewSources {
  readonly rows: Rows;
  /** Resolves after the first full read of the database. */
  readonly ready: Promise<void>;
  readonly summary: () => SwitchSummary;
  readonly boardOf: (bridge: string) => Board;
  readonly conntrack: Pick<Conntrack, 'connections'>;
  /** Resolves when the bridge's tables were read, or will not be read soon. */
  readonly tablesRead: (bridge: string) => Promise<void>;
}

/** The switch for reading: the database's rows, and the flows that the agent knows to be installed. */
export class LiveSwitchView implements SwitchView {
  private readonly listeners = new Set<(changes: readonly SwitchChange[]) => void>();

  constructor(private readonly sources: ViewSources) {}

  async summary(): Promise<SwitchSummary> {
    return this.sources.summary();
  }

  async bridges(): Promise<readonly BridgeView[]> {
    await this.sources.ready;
    return [...this.sources.rows.bridges()].map(bridgeView);
  }

  async ports(bridge?: string): Promise<readonly PortView[]> {
    await this.sources.ready;
    const ports = [...this.sources.rows.ports()].filter((port) => bridge === undefined || port.bridge === bridge);
    return ports.map(portView);
  }

  async flows(
    bridge: string,
    tables?: readonly number[],
    [lowest, highest]: readonly [number, number] = [0, 0xffff],
  ): Promise<readonly (Flow & { readonly cookie: bigint })[]> {
    await this.sources.ready;
    await this.sources.tablesRead(bridge);
    const asked: (Flow & { readonly cookie: bigint })[] = [];
    for (const one of this.sources.boardOf(bridge).installed?.values() ?? []) {
      if (one.kind !== 'flow' || tables?.includes(one.table) === false) continue;
      if (one.priority < lowest || one.priority > highest) continue;
      asked.push({ ...one.decode(), cookie: one.cookie });
    }
    return asked;
  }

  connections(zone: number): Promise<readonly TrackedConnection[]> {
    return this.sources.conntrack.connections(zone);
  }

  watch(listener: (changes: readonly SwitchChange[]) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * For the switch side: rows changed in one transaction, which tells them in any order. What went is told first: a port that was
   * replaced by one of the same name is there, not gone.
   */
  publish({ bridges, ports }: MirrorChanges, cause: string): void {
    if (this.listeners.size === 0) return;
    const changes = [
      ...bridges.flatMap((change) => bridgeChange(change, cause)),
      ...ports.flatMap((change) => portChange(change, cause)),
    ];
    if (changes.length === 0) return;
    const ordered = [...changes.filter(isDeparture), ...changes.filter((change) => !isDeparture(change))];
    for (const listener of this.listeners) listener(ordered);
  }
}

function isDeparture({ kind }: SwitchChange): boolean {
  return kind === 'port-removed' || kind === 'bridge-removed';
}

function bridgeChange({ before, after }: MirrorChange<BridgeRow>, cause: string): SwitchChange[] {
  if (before === undefined && after !== undefined) return [{ kind: 'bridge-added', bridge: bridgeView(after), cause }];
  if (before !== undefined && after === undefined)
    return [{ kind: 'bridge-removed', bridge: bridgeView(before), cause }];
  return [];
}

/** A port that went to another bridge has left the one and come to the other. */
function portChange({ before, after }: MirrorChange<PortRow>, cause: string): SwitchChange[] {
  if (before !== undefined && after !== undefined && before.bridge === after.bridge) {
    const [port, previous] = [portView(after), portView(before)];
    return JSON.stringify(port) === JSON.stringify(previous) ? [] : [{ kind: 'port-changed', port, previous, cause }];
  }
  return [
    ...(before === undefined ? [] : [{ kind: 'port-removed', port: portView(before), cause } as const]),
    ...(after === undefined ? [] : [{ kind: 'port-added', port: portView(after), cause } as const]),
  ];
}

function bridgeView({ name, datapathId, datapathType, failMode, otherConfig, externalIds }: BridgeRow): BridgeView {
  return {
    name,
    datapathId,
    datapathType: datapathType === '' ? 'system' : datapathType,
    failMode,
    otherConfig,
    externalIds,
  };
}

function portView({ uuid, bridge, name, tag, otherConfig, externalIds, interfaces }: PortRow): PortView {
  return {
    uuid,
    bridge,
    name,
    tag,
    otherConfig,
    externalIds,
    interfaces: interfaces.map((it) => ({
      name: it.name,
      type: it.type,
      ofport: it.ofport,
      error: it.error,
      options: it.options,
      externalIds: it.externalIds,
    })),
  };
}
