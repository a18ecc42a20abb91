import { type Action, type Flow, type Match, matchFields, matchHasVlan, type ResolvePort } from '@patchbay/sdk/flow';
import type { FlowFilter, FlowMod } from '../client';
import { errorNamed } from '../errors';
import { InstalledFlow, type InstalledFlowHead } from '../installed-flow';
import { cookiePair } from '../messages/encode-mods';
import { type MatchEntry, matchEntries } from '../wire/canonical-match';
import { writeInstructions } from '../wire/encode-actions';
import { matchBounds, readFields, writeMatchFields } from '../wire/oxm';
import { WireWriter } from '../wire/writer';

/** What one flow-mod did. */
export interface FlowChange {
  readonly event: 'added' | 'modified' | 'removed';
  readonly flow: InstalledFlow;
}

const SEND_FLOW_REMOVED = 1;

function checkPrerequisites(match: Match, resolve: ResolvePort): void {
  const fields = matchFields(match, resolve);
  const of = (name: string) => {
    const found = fields.find(({ field }) => field.name === name);
    return found === undefined ? -1 : Number(found.value);
  };
  for (const { field } of fields) {
    const { ethTypes, ipProtocols } = field.prerequisite ?? {};
    const missing =
      (ethTypes !== undefined && !ethTypes.includes(of('eth_type'))) ||
      (ipProtocols !== undefined && !ipProtocols.includes(of('nw_proto')));
    if (missing) throw errorNamed('OFPBMC_BAD_PREREQ');
  }
}

function encode(flow: Flow, head: InstalledFlowHead, resolve: ResolvePort): InstalledFlow {
  const writer = new WireWriter(512);
  const fields = matchFields(flow.match, resolve);
  writeMatchFields(writer, fields);
  const instructions = writer.length;
  writeInstructions(writer, flow.actions, matchHasVlan(fields), resolve);
  const bytes = writer.take();
  const { from, to } = matchBounds(bytes, 0);
  return new InstalledFlow(head, {
    bytes,
    matchFrom: from,
    matchTo: to,
    instructionsFrom: instructions,
    instructionsTo: bytes.length,
  });
}

function entriesOf(flow: InstalledFlow): MatchEntry[] {
  return matchEntries(readFields(flow.bytes, flow.matchFrom, flow.matchTo));
}

/** Whether every packet that `flow` matches is one that `filter` matches (OpenFlow 1.3.5, 6.4: non-strict). */
function covers(filter: readonly MatchEntry[], flow: readonly MatchEntry[]): boolean {
  return filter.every((wanted) => {
    const found = flow.find(({ order }) => order === wanted.order);
    if (found === undefined) return wanted.mask?.every((byte) => byte === 0) ?? false;
    return wanted.value.every((byte, index) => {
      const bits = wanted.mask?.[index] ?? 0xff;
      const known = found.mask?.[index] ?? 0xff;
      return (bits & ~known & 0xff) === 0 && (byte & bits) === ((found.value[index] ?? 0) & bits);
    });
  });
}

/** One bridge's flow tables with the semantics of flow-mods, and nothing of packets. */
export class FakeFlowTable {
  private flows = new Map<string, InstalledFlow>();

  constructor(
    private readonly bridge: string,
    private readonly hasReference: (action: Action) => boolean,
  ) {}

  all(): InstalledFlow[] {
    return [...this.flows.values()];
  }

  /** A copy to go back to. */
  snapshot(): ReadonlyMap<string, InstalledFlow> {
    return new Map(this.flows);
  }

  restore(snapshot: ReadonlyMap<string, InstalledFlow>): void {
    this.flows = new Map(snapshot);
  }

  select(filter: FlowFilter, resolve: ResolvePort): InstalledFlow[] {
    const { cookie, cookieMask } = cookiePair(filter.cookie, filter.cookieMask);
    const pattern = entriesOf(encode(this.bare(filter.match ?? {}), this.head({ table: 0, priority: 0 }), resolve));
    return this.all().filter(
      (flow) =>
        (filter.table === undefined || flow.table === filter.table) &&
        (flow.cookie & cookieMask) === (cookie & cookieMask) &&
        covers(pattern, entriesOf(flow)),
    );
  }

  /** @throws OpenFlowError as a switch refuses; then nothing has changed. */
  apply(mod: FlowMod, resolve: ResolvePort): FlowChange[] {
    switch (mod.command) {
      case 'add': {
        this.check(mod.flow, resolve);
        const flags = mod.flags?.sendFlowRemoved === true ? SEND_FLOW_REMOVED : 0;
        const flow = encode(mod.flow, this.head({ ...mod.flow, cookie: mod.cookie, flags }), resolve);
        const event = this.flows.has(flow.key) ? 'modified' : 'added';
        this.flows.set(flow.key, flow);
        return [{ event, flow }];
      }
      case 'modify':
      case 'modify_strict': {
        this.check(mod.flow, resolve);
        return this.targets(mod.flow, mod, mod.command === 'modify_strict', resolve).map((old) => {
          const actions = encode(mod.flow, old, resolve);
          const changed = this.withActions(old, actions);
          this.flows.set(changed.key, changed);
          return { event: 'modified', flow: changed };
        });
      }
      case 'delete':
        return this.remove(this.select(mod.filter, resolve));
      case 'delete_strict':
        return this.remove(this.targets({ ...this.bare(mod.flow.match), ...mod.flow }, mod, true, resolve));
      case 'delete_installed': {
        const found = this.flows.get(mod.installed.key);
        return this.remove(found !== undefined && found.cookie === mod.installed.cookie ? [found] : []);
      }
    }
  }

  /** Removes flows whose actions have that reference, as a switch does when a group or a meter goes. */
  removeUsing(uses: (action: Action) => boolean): FlowChange[] {
    return this.remove(this.all().filter((flow) => flow.decode().actions.some(uses)));
  }

  private check(flow: Flow, resolve: ResolvePort): void {
    checkPrerequisites(flow.match, resolve);
    for (const action of flow.actions) {
      if (action.type === 'goto_table' && action.table <= flow.table) throw errorNamed('OFPBIC_BAD_TABLE_ID');
      if (action.type === 'group' && !this.hasReference(action)) throw errorNamed('OFPBAC_BAD_OUT_GROUP');
      if (action.type === 'meter' && !this.hasReference(action)) throw errorNamed('OFPMMFC_INVALID_METER');
    }
  }

  private targets(
    flow: Flow,
    cookies: { readonly cookie?: bigint; readonly cookieMask?: bigint },
    strict: boolean,
    resolve: ResolvePort,
  ): InstalledFlow[] {
    const filter: FlowFilter = {
      table: flow.table,
      match: flow.match,
      ...(cookies.cookie === undefined ? {} : { cookie: cookies.cookie }),
      ...(cookies.cookieMask === undefined ? {} : { cookieMask: cookies.cookieMask }),
    };
    const found = this.select(filter, resolve);
    if (!strict) return found;
    const { key } = encode(this.bare(flow.match), this.head(flow), resolve);
    return found.filter((candidate) => candidate.key === key);
  }

  private withActions(old: InstalledFlow, actions: InstalledFlow): InstalledFlow {
    const match = old.bytes.subarray(old.matchFrom, old.matchTo);
    const instructions = actions.bytes.subarray(actions.instructionsFrom, actions.instructionsTo);
    return new InstalledFlow(old, {
      bytes: Buffer.concat([match, instructions]),
      matchFrom: 0,
      matchTo: match.length,
      instructionsFrom: match.length,
      instructionsTo: match.length + instructions.length,
    });
  }

  private remove(flows: readonly InstalledFlow[]): FlowChange[] {
    for (const flow of flows) this.flows.delete(flow.key);
    return flows.map((flow) => ({ event: 'removed', flow }));
  }

  private bare(match: Match): Flow {
    return { bridge: this.bridge, table: 0, priority: 0, match, actions: [] };
  }

  private head(of: {
    table: number;
    priority: number;
    idleTimeout?: number;
    hardTimeout?: number;
    cookie?: bigint;
    flags?: number;
  }): InstalledFlowHead {
    return {
      bridge: this.bridge,
      table: of.table,
      priority: of.priority,
      cookie: of.cookie ?? 0n,
      idleTimeout: of.idleTimeout ?? 0,
      hardTimeout: of.hardTimeout ?? 0,
      flags: of.flags ?? 0,
    };
  }
}
