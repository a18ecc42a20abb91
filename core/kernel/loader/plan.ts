import type { HookName, Manifest, PacketAllowance, PatchbayError, Token } from '@patchbay/sdk';
import { KernelError } from '../errors';
import { nearest } from '../nearest';
import { inOrder } from '../ordering';
import type { LeftOut } from './left-out';
import type { FoundPlugin } from './modules';

/** A place in the boot order and why. All of it is known before any of the plugin's code runs, but the hooks. */
export interface PlannedPlugin {
  readonly id: string;
  readonly summary: string;
  readonly version: string | null;
  readonly origin: FoundPlugin['origin'];
  /** Where the plugin list names it. */
  readonly from: string;
  /** Why it comes where it comes: `after bridge-mappings (provides rpc)`. */
  readonly because: readonly string[];
  readonly provides: readonly string[];
  readonly requires: readonly string[];
  readonly replaces: string | null;
  readonly required: boolean;
  readonly onFailure: Manifest['onFailure'];
  /** Where it runs: in the agent's main thread, or in one of its own. */
  readonly isolation: 'main' | 'worker';
  /** Null until it has tapped. */
  readonly hooks: readonly HookName[] | null;
}

export interface Resolution {
  /** In boot order. */
  readonly ordered: readonly FoundPlugin[];
  readonly planned: readonly PlannedPlugin[];
  /** Replaced id → the id that took its place. */
  readonly standIns: ReadonlyMap<string, string>;
  /** Plugin → plugins it cannot do without. */
  readonly dependencies: ReadonlyMap<string, ReadonlySet<string>>;
  /** Plugin → what it requires and nobody gives, or the operator does not allow. It fails when it is constructed, and the agent goes on without it. */
  readonly unmet: ReadonlyMap<string, PatchbayError>;
  /** Token name → ids of plugins that provide it, listed or stock. */
  readonly knownProviders: ReadonlyMap<string, readonly string[]>;
  readonly warnings: readonly string[];
  /** Entries that the agent goes on without. */
  readonly leftOut: readonly LeftOut[];
}

interface Constraint {
  readonly first: string;
  readonly next: string;
  readonly why: string;
}

/** Decides who loads, in which order, and says why; or says what contradicts. */
export function resolvePlan(
  found: readonly FoundPlugin[],
  stock: readonly Manifest[],
  ceiling: PacketAllowance,
): Omit<Resolution, 'leftOut'> {
  refuseTwins(found);
  const standIns = replacements(found, stock);
  const kept = found.filter(({ manifest }) => !standIns.has(manifest.id));
  const providers = providersOf(kept);
  const known = knownProviders([...kept.map(({ manifest }) => manifest), ...stock]);
  const dependencies = new Map<string, Set<string>>();
  const unmet = new Map<string, PatchbayError>();
  const constraints: Constraint[] = [];
  const ids = new Set(kept.map(({ manifest }) => manifest.id));
  const standIn = (id: string): string => standIns.get(id) ?? id;
  for (const plugin of kept) {
    const { id, requires = [], after = [], before = [] } = plugin.manifest;
    const needed = new Set<string>();
    dependencies.set(id, needed);
    const greedy = tooManyPackets(plugin, ceiling);
    if (greedy !== undefined) {
      if (plugin.manifest.onFailure === 'abort') throw greedy;
      unmet.set(id, greedy);
    }
    for (const requirement of requires) {
      const name = typeof requirement === 'string' ? standIn(requirement) : requirement.name;
      const by = typeof requirement === 'string' ? (ids.has(name) ? name : undefined) : providers.get(name);
      if (by === undefined) {
        const error = missing(id, requirement, known, ids);
        if (plugin.manifest.onFailure === 'abort') throw error;
        unmet.set(id, error);
        continue;
      }
      if (by === id) continue;
      needed.add(by);
      constraints.push({ first: by, next: id, why: typeof requirement === 'string' ? 'required' : `provides ${name}` });
    }
    for (const token of plugin.tokens.flatMap((asked) => asked?.replace(/^patchbay:/, '') ?? [])) {
      const by = providers.get(token);
      if (by === undefined || by === id || needed.has(by)) continue;
      needed.add(by);
      constraints.push({ first: by, next: id, why: `provides ${token}` });
    }
    for (const other of after) constraints.push({ first: standIn(other), next: id, why: 'asked for' });
    for (const other of before) constraints.push({ first: id, next: standIn(other), why: `asked for by ${id}` });
  }
  const order = inOrder(
    [...ids],
    constraints,
    (left, right) => (left < right ? -1 : left > right ? 1 : 0),
    'the plugins',
  );
  const ordered = order.flatMap((id) => kept.filter(({ manifest }) => manifest.id === id));
  const planned = ordered.map((plugin) =>
    described(
      plugin,
      constraints.filter(({ first, next }) => next === plugin.manifest.id && ids.has(first)),
    ),
  );
  const everyone = new Set([...found.map(({ manifest }) => manifest.id), ...stock.map(({ id }) => id)]);
  const warnings = warningsOf(kept, everyone);
  return { ordered, planned, standIns, dependencies, unmet, knownProviders: known, warnings };
}

function refuseTwins(found: readonly FoundPlugin[]): void {
  const seen = new Map<string, string>();
  for (const { manifest, entry } of found) {
    const first = seen.get(manifest.id);
    if (first !== undefined) throw KernelError.duplicatePlugin({ plugin: manifest.id, first, second: entry.from });
    seen.set(manifest.id, entry.from);
  }
}

function replacements(found: readonly FoundPlugin[], stock: readonly Manifest[]): ReadonlyMap<string, string> {
  const standIns = new Map<string, string>();
  const manifests = new Map([...stock, ...found.map(({ manifest }) => manifest)].map((known) => [known.id, known]));
  for (const { manifest } of found) {
    const { id, replaces } = manifest;
    if (replaces === undefined || replaces === id) continue;
    const first = standIns.get(replaces);
    if (first !== undefined) throw KernelError.replacedTwice({ first, second: id, replaced: replaces });
    const provided = new Set((manifest.provides ?? []).map((token) => token.name));
    const owed = (manifests.get(replaces)?.provides ?? []).filter((token) => !provided.has(token.name));
    if (owed.length > 0) {
      const names = owed.map((token) => token.name);
      throw KernelError.replacementIncomplete({ plugin: id, replaced: replaces, missing: names });
    }
    standIns.set(replaces, id);
  }
  return chased(standIns);
}

/** Where a replacement is itself replaced, the last one stands in for all. */
function chased(standIns: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const last = (id: string, path: readonly string[]): string => {
    const next = standIns.get(id);
    if (next === undefined) return id;
    if (path.includes(next)) throw KernelError.orderLoop({ what: 'replacements', loop: [...path, next].join(' → ') });
    return last(next, [...path, next]);
  };
  return new Map([...standIns.keys()].map((id) => [id, last(id, [id])]));
}

function providersOf(kept: readonly FoundPlugin[]): ReadonlyMap<string, string> {
  const providers = new Map<string, string>();
  for (const { manifest } of kept) {
    for (const token of manifest.provides ?? []) {
      const first = providers.get(token.name);
      if (first !== undefined) throw KernelError.secondProvider({ token: token.name, first, second: manifest.id });
      providers.set(token.name, manifest.id);
    }
  }
  return providers;
}

function knownProviders(manifests: readonly Manifest[]): ReadonlyMap<string, readonly string[]> {
  const known = new Map<string, string[]>();
  for (const { id, provides = [] } of manifests) {
    for (const token of provides) {
      const ids = known.get(token.name) ?? [];
      if (!ids.includes(id)) known.set(token.name, [...ids, id]);
    }
  }
  return known;
}

function missing(
  plugin: string,
  requirement: Token<unknown> | string,
  known: ReadonlyMap<string, readonly string[]>,
  ids: ReadonlySet<string>,
): PatchbayError {
  if (typeof requirement === 'string') {
    const close = nearest(requirement, ids);
    const hint = close === undefined ? `add ${requirement} to the list` : `did you mean ${close}?`;
    return KernelError.missingRequirement({ plugin, requirement: `plugin ${requirement}`, hint });
  }
  const could = known.get(requirement.name) ?? [];
  const hint = could.length > 0 ? `${could.join(' or ')} could` : 'no plugin known here could either';
  return KernelError.missingRequirement({ plugin, requirement: `token ${requirement.name}`, hint });
}

/** Stock or not: how many packets the agent can take is the operator's to say. */
function tooManyPackets({ manifest, entry }: FoundPlugin, ceiling: PacketAllowance): PatchbayError | undefined {
  const { id, packetIns: asked } = manifest;
  if (asked === undefined || (asked.perSecond <= ceiling.perSecond && asked.burst <= ceiling.burst)) return undefined;
  const allowed = { ceiling: ceiling.perSecond, most: ceiling.burst };
  return KernelError.packetInsRefused({ plugin: id, from: entry.from, ...asked, ...allowed });
}

function described(found: FoundPlugin, constraints: readonly Constraint[]): PlannedPlugin {
  const { manifest, version, origin, entry } = found;
  return {
    id: manifest.id,
    summary: manifest.summary,
    version,
    origin,
    from: entry.from,
    because: constraints.map(({ first, why }) => `after ${first} (${why})`),
    provides: (manifest.provides ?? []).map((token) => token.name),
    requires: (manifest.requires ?? []).map((need) => (typeof need === 'string' ? need : need.name)),
    replaces: manifest.replaces ?? null,
    required: requiredHere(found),
    onFailure: manifest.onFailure,
    isolation: entry.isolation ?? 'main',
    hooks: null,
  };
}

/** Stock plugins may be required by themselves; any other only where the operator's list says so. */
function requiredHere({ manifest, origin, entry }: FoundPlugin): boolean {
  if (manifest.required !== true) return false;
  if (origin === 'stock' || entry.required === true) return true;
  throw KernelError.requiredNotAllowed({ plugin: manifest.id, from: entry.from });
}

function warningsOf(kept: readonly FoundPlugin[], ids: ReadonlySet<string>): readonly string[] {
  return [...kept.flatMap((plugin) => strangersOf(plugin, ids)), ...needlesslyAllowed(kept)];
}

/** Neighbours that nobody is: a wish that is misspelt comes to nothing without a word. */
function strangersOf({ manifest, entry }: FoundPlugin, ids: ReadonlySet<string>): readonly string[] {
  const { id, after = [], before = [] } = manifest;
  const wishes = [...after.map((other) => ['after', other]), ...before.map((other) => ['before', other])];
  return wishes.flatMap(([relation = '', other = '']) => {
    if (ids.has(other)) return [];
    const close = nearest(other, ids);
    const hint = close === undefined ? '' : `; did you mean ${close}?`;
    return `${entry.from}: ${id} wants to come ${relation} ${other}, and no plugin has that id, on the list or in stock${hint}`;
  });
}

function needlesslyAllowed(kept: readonly FoundPlugin[]): readonly string[] {
  return kept
    .filter(({ manifest, entry }) => entry.required === true && manifest.required !== true)
    .map(
      ({ manifest, entry }) =>
        `${entry.from}: ${manifest.id} is allowed to be required, and its manifest does not ask for it; ports do not wait for it`,
    );
}
