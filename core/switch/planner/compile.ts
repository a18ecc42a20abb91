import type { DesiredRecords, Flow, GateRecord, Group, PortRecord } from '@patchbay/sdk';
import { type Canonical, FlowItem, groupItem, type Item, meterItem } from './items';
import type { Owner } from './owner';
import { checkFlow, checkGroup, checkMeter } from './ranges';
import { printReference, referencesIn, referenceTo, type Standing } from './reference-names';
import { FlowResolver, portsOf, resolveGroup } from './resolve';
import { markOf } from './row-changes';
import { bridgeWant, portWant, qosWant, type RowWant } from './row-wants';
import { type PortNumber, portNumber, type Rows } from './rows';
import { identityOf, tunnelIdentity } from './tunnel';

/** What one key comes to on the switch as it is: its names resolved, and what it waits for. */
export interface Compiled {
  readonly items: readonly Item[];
  /** The bridges that the items are for. */
  readonly bridges: ReadonlySet<string>;
  readonly rows: readonly RowWant[];
  readonly gates: readonly CompiledGate[];
  /** What does not exist yet, for people. */
  readonly waitingFor: readonly string[];
  /** Names of the ports and bridges that this depends on: when one of their rows changes, it is compiled again. */
  readonly names: ReadonlySet<string>;
  /** The numbers that names came to; two compilations that agree here name the same ports. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Names that records give to ports which exist under another name. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Groups and meters that flows of it name: when one of them comes or goes, it is compiled again. */
  readonly references: ReadonlySet<string>;
  /** Its groups that are left out, each with what it waits for. */
  readonly heldGroups: ReadonlyMap<string, string>;
}

export interface CompiledGate {
  readonly record: GateRecord;
  /** The port that it is of is on the switch, or may be: nothing is wanted of another that has its name. */
  readonly isOfPort: boolean;
  /** Flows that let frames in; wanted only while the gate is open. */
  readonly admission: readonly Item[];
  /** What the admission waits for. */
  readonly waitingFor: readonly string[];
}

export interface Surroundings {
  readonly rows: Rows;
  readonly canonical: Canonical;
  /** The name of the port that a tunnel record was found to be, by bridge and the record's name. */
  aliasOf(bridge: string, name: string): string | undefined;
  /** The bridge's flows are known, so that what is stated for it gets there. */
  isRead(bridge: string): boolean;
  /** How it stands with a group or meter that other keys state; undefined where none does. */
  standingOf(reference: string): Standing | undefined;
}

/**
 * Compiles one key. Pure: it looks at nothing but its arguments. Of flows that were in the `earlier` compilation too (the same objects;
 * records are never changed in place) and whose ports have the same numbers, the items are those of then.
 * @throws FlowNotationError for a flow that cannot be written down: the caller holds the key back.
 */
export function compile(
  owner: Owner,
  records: DesiredRecords,
  around: Surroundings,
  earlier: Pick<Compiled, 'items' | 'numbers'>,
): Compiled {
  return new Compilation(owner, around, earlier).of(records);
}

class Compilation {
  private readonly names = new Set<string>();
  private readonly numbers = new Map<string, number>();
  private readonly aliases = new Map<string, string>();
  /** Ports of this key whose names are somebody else's ports', by bridge and name. */
  private readonly taken = new Map<string, string>();
  private readonly references = new Set<string>();
  private readonly heldGroups = new Map<string, string>();
  /** Groups and meters of this key that come. */
  private readonly coming = new Set<string>();
  private waits = new Set<string>();
  /** The port that was resolved last. */
  private last: { readonly bridge: string; readonly name: string; readonly number: number } | undefined;
  private readonly known: ReadonlyMap<Flow, FlowItem>;

  constructor(
    private readonly owner: Owner,
    private readonly around: Surroundings,
    private readonly earlier: Pick<Compiled, 'items' | 'numbers'>,
  ) {
    this.known = new Map(earlier.items.flatMap((item) => (item.kind === 'flow' ? [[item.stated, item]] : [])));
  }

  of(records: DesiredRecords): Compiled {
    const { canonical } = this.around;
    const adopted = (records.ports ?? []).map((port) => this.adopt(port));
    const named: Item[] = [
      ...(records.meters ?? []).map((meter) => {
        checkMeter(meter);
        return meterItem(this.owner, meter, canonical);
      }),
      ...(records.groups ?? []).flatMap((group) => this.group(group)),
    ];
    for (const { bridge, identity } of named) this.coming.add(referenceTo(bridge, identity));
    const items = [...named, ...this.flows(records.flows ?? [])];
    const held = this.waits;
    const gates = (records.gates ?? []).map((gate) => this.gate(gate));
    this.waits = held;
    // A patch port is connected when the rest of its key is in place; sets of ports are not waited for.
    const hasPatch = (records.ports ?? []).some(({ kind }) => kind === 'patch');
    const connected = hasPatch && !this.isHeldBack(records.flows ?? []);
    const rows = [
      ...(records.bridges ?? []).map((bridge) => bridgeWant(this.owner, bridge)),
      ...(records.ports ?? []).flatMap((port, index) => {
        if (this.taken.has(aliasKey(port.bridge, port.name))) return [];
        return [portWant(this.owner, port, adopted[index] ?? port.name, connected)];
      }),
      ...(records.qos ?? []).map((qos) => qosWant(this.owner, qos, this.bridgeOf(qos.port))),
    ];
    for (const port of records.ports ?? []) this.number(port.bridge, port.name);
    for (const { row } of rows) this.names.add(row.name);
    for (const { record } of gates) this.names.add(record.port);
    return {
      items,
      bridges: new Set(items.map((item) => item.bridge)),
      rows,
      gates,
      waitingFor: [...this.waits],
      names: this.names,
      numbers: this.numbers,
      aliases: this.aliases,
      references: this.references,
      heldGroups: this.heldGroups,
    };
  }

  private group(group: Group): readonly Item[] {
    checkGroup(group);
    const resolved = resolveGroup(group, (port) => this.number(group.bridge, port));
    if (resolved !== undefined) return [groupItem(this.owner, resolved, this.around.canonical)];
    // It stops at the first port that is absent.
    const absent = portsOf(group).map((port) => this.found(group.bridge, port));
    const reasons = absent.flatMap((found) => ('waitingFor' in found ? [found.waitingFor] : []));
    this.heldGroups.set(referenceTo(group.bridge, `group=${group.group}`), [...new Set(reasons)].join(', '));
    return [];
  }

  /** Each flow's item once, also where the flow is listed twice. */
  private flows(flows: readonly Flow[]): Item[] {
    const resolver = new FlowResolver((bridge, port) => this.number(bridge, port));
    const items: Item[] = [];
    for (const flow of new Set(flows)) {
      const item = this.asBefore(flow) ?? this.made(flow, resolver);
      const lacks = this.lacks(flow);
      for (const what of lacks) this.waits.add(what);
      if (item !== undefined && lacks.length === 0) items.push(item);
    }
    return items;
  }

  /** Groups and meters that the flow names, that are wanted and that do not come. The switch would refuse it. */
  private lacks({ bridge, actions }: Flow): readonly string[] {
    return referencesIn(actions).flatMap((identity) => {
      const reference = referenceTo(bridge, identity);
      this.references.add(reference);
      if (this.coming.has(reference)) return [];
      const standing = this.around.standingOf(reference);
      if (standing === 'comes') return [];
      const held = this.heldGroups.get(reference);
      if (held !== undefined) return [`${printReference(reference)}, which waits for ${held}`];
      return standing === undefined ? [] : [standing.waitingFor];
    });
  }

  private made(flow: Flow, resolver: FlowResolver): Item | undefined {
    checkFlow(flow);
    const resolved = resolver.flow(flow);
    if (resolved === undefined) return undefined;
    const numberOf = (port: string) => this.number(flow.bridge, port);
    const { key, body } = this.around.canonical.flow(flow, numberOf, resolved.actions);
    return new FlowItem(this.owner, key, body, resolved, this.numbers);
  }

  private asBefore(flow: Flow): Item | undefined {
    const item = this.known.get(flow);
    if (item === undefined) return undefined;
    const { numbers } = this.earlier;
    for (const port of item.ports) {
      if (this.number(flow.bridge, port) !== numbers.get(aliasKey(flow.bridge, port))) return undefined;
    }
    return item;
  }

  /** Some of the flows wait for a port or for their bridge. */
  private isHeldBack(flows: readonly Flow[]): boolean {
    const quiet = new FlowResolver((bridge, port) => {
      const found = this.found(bridge, port);
      return 'number' in found ? found.number : undefined;
    });
    return flows.some((flow) => {
      if (!this.around.isRead(flow.bridge)) return true;
      return this.waits.size > 0 && (quiet.flow(flow) === undefined || this.lacks(flow).length > 0);
    });
  }

  private gate(record: GateRecord): CompiledGate {
    const admission = new Set<string>();
    this.waits = admission;
    const { bridge, port, portRow } = record;
    const named = this.around.rows.port(port);
    if (portRow !== undefined && named !== undefined && named.uuid !== portRow) {
      const waitingFor = [`port ${port} on ${bridge} as it was: another has its name by now`];
      return { record, isOfPort: false, admission: [], waitingFor };
    }
    const items = this.flows(record.admission ?? []);
    return { record, isOfPort: true, admission: items, waitingFor: [...admission] };
  }

  private number(bridge: string, name: string): number | undefined {
    // Flow after flow of a key names the same port.
    if (this.last?.name === name && this.last.bridge === bridge) return this.last.number;
    const actual = this.nameOf(bridge, name);
    this.names.add(name);
    this.names.add(actual);
    const found = this.found(bridge, name);
    if ('number' in found) {
      this.numbers.set(`${bridge} ${name}`, found.number);
      this.last = { bridge, name, number: found.number };
      return found.number;
    }
    this.waits.add(found.waitingFor);
    return undefined;
  }

  /** What is somebody else's port is not the one that this key names. */
  private found(bridge: string, name: string): PortNumber {
    const waitingFor = this.taken.get(aliasKey(bridge, name));
    return waitingFor === undefined ? portNumber(this.around.rows, bridge, this.nameOf(bridge, name)) : { waitingFor };
  }

  private nameOf(bridge: string, name: string): string {
    return this.aliases.get(aliasKey(bridge, name)) ?? this.around.aliasOf(bridge, name) ?? name;
  }

  /** A tunnel is found by name, or else by what the switch tells tunnels apart by: it has room for one such. */
  private adopt(record: PortRecord): string {
    const { rows } = this.around;
    if (isTaken(record, rows)) {
      const reason = `the name ${record.name}, which a port on ${rows.port(record.name)?.bridge} has that is somebody else's`;
      this.taken.set(aliasKey(record.bridge, record.name), reason);
    }
    if (record.kind !== 'tunnel' || rows.port(record.name) !== undefined) return record.name;
    const wanted = tunnelIdentity(record.type, record.options);
    let found: string | undefined;
    for (const { bridge, name, interfaces } of rows.ports()) {
      const [iface] = interfaces;
      if (bridge !== record.bridge || iface?.type !== record.type) continue;
      // Where there are several all the same, the choice must not hang on the order in which they were told of.
      if (identityOf(iface) === wanted && (found === undefined || name < found)) found = name;
    }
    if (found !== undefined) this.aliases.set(aliasKey(record.bridge, record.name), found);
    return found ?? record.name;
  }

  private bridgeOf(port: string): string {
    return this.around.rows.port(port)?.bridge ?? '';
  }
}

/**
 * The name is that of a port which is not ours to take: it would be marked as ours, and go with the key. Patch ports and tunnels that
 * another agent made are adopted; a VIF never is, unless the record is for that very VIF (the patch port of a trunk).
 */
function isTaken({ kind, name, externalIds: stated = {} }: PortRecord, rows: Rows): boolean {
  const port = rows.port(name);
  if (port === undefined || markOf(port) !== undefined) return false;
  if (kind === 'internal' || kind === 'bond') return true;
  const vif = port.interfaces.map(({ externalIds }) => externalIds['iface-id']).find((id) => id !== undefined);
  return vif !== undefined && vif !== stated['iface-id'];
}

export function aliasKey(bridge: string, name: string): string {
  return `${bridge} ${name}`;
}
