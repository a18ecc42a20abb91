import {
  type AgentHooks,
  HOOKS,
  type HookCalls,
  type HookName,
  type PatchbayError,
  type TapListing,
  type TapOrder,
} from '@patchbay/sdk';
import { KernelError } from '../errors';
import { nearest } from '../nearest';
import { type Ordering, ordering, type Precedence } from '../ordering';
import { Breaker } from './breaker';
import { HookLines } from './lines';
import type { HookTableOptions, RawTap } from './options';
import { TapRunner } from './tap-runner';
import { type TapTrace, TraceRing } from './trace';

interface CollectedTap {
  readonly plugin: string;
  readonly fn: RawTap;
  readonly order: TapOrder;
}

interface TapPrecedence extends Precedence {
  /** The plugin that wishes it. */
  readonly by: string;
}

/** Wishes of order that cannot all be met. */
export interface TapContradiction {
  readonly error: PatchbayError;
  /** Those whose wishes make the loop; not those that are only named in it. */
  readonly plugins: readonly string[];
}

const HOOK_NAMES = Object.keys(HOOKS) as readonly HookName[];

/** All hooks: plugins tap them through functions, the agent calls them through `callsFor`. */
export class HookTable {
  private readonly collected = new Map<HookName, CollectedTap[]>(HOOK_NAMES.map((name) => [name, []]));
  private readonly ring: TraceRing;
  private readonly runner: TapRunner;
  private readonly breakers = new Map<string, Breaker>();
  private readonly down = new Map<string, string>();
  private readonly lines: HookLines;
  private sealed = false;

  constructor(private readonly options: HookTableOptions) {
    this.ring = new TraceRing(options.settings.traceSize);
    const traced = (entry: TapTrace): void => {
      this.ring.add(entry);
      options.onTrace?.(entry);
    };
    this.runner = new TapRunner({ context: options.context, marker: options.marker, traced });
    this.lines = new HookLines({
      ...options,
      runner: this.runner,
      traced,
      breaker: (plugin) => this.breakerOf(plugin),
      downReason: (plugin) => this.down.get(plugin),
      requiredDown: () => this.requiredDown(),
    });
  }

  /** The hooks as one plugin taps them. */
  hooksFor(plugin: string): AgentHooks {
    const taps = HOOK_NAMES.map((hook) => [
      hook,
      (fn: RawTap, order: TapOrder = {}) => this.collect(hook, { plugin, fn, order }),
    ]);
    return Object.fromEntries(taps) as unknown as AgentHooks;
  }

  /** Forgets the taps of a plugin that failed before the hooks were sealed. */
  discard(plugin: string): void {
    if (this.sealed) return;
    for (const [hook, taps] of this.collected) {
      this.collected.set(
        hook,
        taps.filter((tap) => tap.plugin !== plugin),
      );
    }
  }

  /** The first hook whose taps have no order, if any: sealing would be refused. */
  contradiction(pluginOrder: readonly string[]): TapContradiction | undefined {
    for (const hook of HOOK_NAMES) {
      const found = this.ordering(hook, pluginOrder);
      if ('loop' in found) return this.contradictionOf(hook, found.loop);
    }
    return undefined;
  }

  /** Puts the taps in order and opens the hooks for calls. `pluginOrder` decides where names leave a choice. */
  seal(pluginOrder: readonly string[]): void {
    for (const [hook, taps] of this.collected) {
      const found = this.ordering(hook, pluginOrder);
      if ('loop' in found) throw this.contradictionOf(hook, found.loop).error;
      const ordered = found.ordered.flatMap((name) => taps.filter((tap) => tap.plugin === name));
      this.collected.set(hook, ordered);
      for (const tap of ordered) this.lines.tap(hook, tap.plugin, tap.fn);
    }
    this.sealed = true;
  }

  callsFor(cause: string): HookCalls {
    return this.lines.callsFor(cause);
  }

  /** The plugin does not run: its taps are passed over; if it is required, ports stay shut. */
  switchOff(plugin: string, reason: string): void {
    this.down.set(plugin, reason);
  }

  /** Aborts the signal of every tap at work. */
  abort(reason: string): void {
    this.runner.abort(reason);
  }

  listing(): readonly TapListing[] {
    return HOOK_NAMES.map((hook) => ({ hook, plugins: (this.collected.get(hook) ?? []).map((tap) => tap.plugin) }));
  }

  trace(): readonly TapTrace[] {
    return this.ring.list();
  }

  private collect(hook: HookName, tap: CollectedTap): void {
    const { plugin, order } = tap;
    const taps = this.collected.get(hook) ?? [];
    if (this.sealed) throw KernelError.tapLate({ plugin, hook });
    if (taps.some((earlier) => earlier.plugin === plugin)) throw KernelError.tapTwice({ plugin, hook });
    for (const relation of ['before', 'after'] as const) {
      for (const neighbour of order[relation] ?? []) this.mustKnow(hook, plugin, relation, neighbour);
    }
    taps.push(tap);
    this.collected.set(hook, taps);
  }

  private mustKnow(hook: HookName, plugin: string, relation: string, neighbour: string): void {
    const { knownPlugins, standIns } = this.options;
    if (knownPlugins.has(neighbour) || standIns.has(neighbour)) return;
    const close = nearest(neighbour, knownPlugins);
    const hint = close === undefined ? 'name one by its id' : `did you mean ${close}?`;
    throw KernelError.tapUnknownNeighbour({ plugin, hook, relation, neighbour, hint });
  }

  private ordering(hook: HookName, pluginOrder: readonly string[]): Ordering {
    const rank = new Map(pluginOrder.map((id, index) => [id, index]));
    const names = (this.collected.get(hook) ?? []).map((tap) => tap.plugin);
    return ordering(names, this.precedences(hook), (left, right) => (rank.get(left) ?? 0) - (rank.get(right) ?? 0));
  }

  private precedences(hook: HookName): readonly TapPrecedence[] {
    return (this.collected.get(hook) ?? []).flatMap(({ plugin, order }) => [
      ...(order.before ?? []).map((other) => ({ first: plugin, next: this.standIn(other), by: plugin })),
      ...(order.after ?? []).map((other) => ({ first: this.standIn(other), next: plugin, by: plugin })),
    ]);
  }

  private contradictionOf(hook: HookName, loop: readonly string[]): TapContradiction {
    const onLoop = (first: string, next: string): boolean =>
      loop.some((name, index) => name === first && loop[index + 1] === next);
    const wishes = this.precedences(hook).filter(({ first, next }) => onLoop(first, next));
    const error = KernelError.orderLoop({ what: `the taps of ${hook}`, loop: loop.join(' → ') });
    return { error, plugins: [...new Set(wishes.map(({ by }) => by))] };
  }

  private standIn(plugin: string): string {
    return this.options.standIns.get(plugin) ?? plugin;
  }

  private breakerOf(plugin: string): Breaker {
    const known = this.breakers.get(plugin);
    if (known !== undefined) return known;
    const made = new Breaker(this.options.settings.breaker, this.options.now ?? (() => performance.now()));
    this.breakers.set(plugin, made);
    return made;
  }

  private requiredDown(): { readonly plugin: string; readonly reason: string } | undefined {
    for (const [plugin, reason] of this.down) if (this.options.isRequired(plugin)) return { plugin, reason };
    return undefined;
  }
}
