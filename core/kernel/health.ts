import { type Health, type HealthLevel, reasonOf, type Unsubscribe } from '@patchbay/sdk';

export interface ConditionState {
  readonly condition: string;
  readonly level: Exclude<HealthLevel, 'unknown'>;
  readonly detail: string;
  /** Milliseconds since the epoch, when it was first stated at this level. */
  readonly since: number;
}

export interface PluginHealth {
  readonly plugin: string;
  readonly level: HealthLevel;
  readonly conditions: readonly ConditionState[];
}

export interface AgentHealth {
  readonly level: HealthLevel;
  readonly plugins: readonly PluginHealth[];
}

interface Kept extends ConditionState {
  readonly expiresAt: number | null;
}

/** Conditions that are kept of one plugin: each change looks at all of them. */
const MOST_CONDITIONS = 500;
const MORE = 'more conditions';

const RANK: Readonly<Record<HealthLevel, number>> = { ok: 0, unknown: 1, degraded: 2, failing: 3 };

/** Conditions of every plugin. A plugin is `unknown` until it has been said to be settled or has reported ok itself. */
export class HealthBook {
  private readonly conditions = new Map<string, Map<string, Kept>>();
  private readonly settled = new Set<string>();
  private readonly vital = new Set<string>();
  private readonly listeners = new Set<(plugin: PluginHealth) => void>();

  constructor(
    /** Milliseconds of a clock that does not jump. */
    private readonly now: () => number = () => performance.now(),
    /** Milliseconds since the epoch. */
    private readonly timeOfDay: () => number = Date.now,
  ) {}

  /** A vital plugin's failing is the agent's; any other's degrades it. */
  add(plugin: string, weight: 'vital' | 'optional'): void {
    if (!this.conditions.has(plugin)) this.conditions.set(plugin, new Map());
    if (weight === 'vital') this.vital.add(plugin);
  }

  /** The plugin has started: what it does not complain of is well. */
  settle(plugin: string): void {
    this.changing(plugin, () => this.settled.add(plugin));
  }

  /** The plugin's own view, as the SDK promises it. */
  of(plugin: string): Health {
    return {
      // A plugin in plain JavaScript may say anything.
      report: (condition, level, detail) =>
        this.report(plugin, { condition: reasonOf(condition), level, detail: reasonOf(detail) }),
      clear: (condition) => this.clear(plugin, condition),
    };
  }

  /** A condition with `expiresAfterMs` must be stated again within that time, or it goes away. */
  report(
    plugin: string,
    stated: Pick<ConditionState, 'condition' | 'level' | 'detail'> & { readonly expiresAfterMs?: number },
  ): void {
    const { condition, level, detail, expiresAfterMs } = stated;
    const known = this.conditionsOf(plugin);
    if (known.size >= MOST_CONDITIONS && !known.has(condition) && condition !== MORE) {
      this.report(plugin, {
        condition: MORE,
        level,
        detail: `more than ${MOST_CONDITIONS} conditions: the others are not kept`,
      });
      return;
    }
    this.changing(plugin, () => {
      const own = this.conditionsOf(plugin);
      const earlier = own.get(condition);
      const since = earlier?.level === level ? earlier.since : this.timeOfDay();
      const expiresAt = expiresAfterMs === undefined ? null : this.now() + expiresAfterMs;
      own.set(condition, { condition, level, detail, since, expiresAt });
      if (level === 'ok') this.settled.add(plugin);
    });
  }

  clear(plugin: string, condition: string): void {
    if (this.conditions.get(plugin)?.has(condition) !== true) return;
    this.changing(plugin, () => this.conditions.get(plugin)?.delete(condition));
  }

  plugin(plugin: string): PluginHealth {
    const live = [...(this.conditions.get(plugin)?.values() ?? [])].filter(
      ({ expiresAt }) => expiresAt === null || expiresAt > this.now(),
    );
    const base: HealthLevel = this.settled.has(plugin) ? 'ok' : 'unknown';
    const level = worst([base, ...live.map((condition) => condition.level)]);
    return { plugin, level, conditions: live.map(({ expiresAt: _, ...condition }) => condition) };
  }

  overall(): AgentHealth {
    const plugins = [...this.conditions.keys()].map((plugin) => this.plugin(plugin));
    const levels = plugins.map(({ plugin, level }) =>
      level === 'failing' && !this.vital.has(plugin) ? 'degraded' : level,
    );
    return { level: worst(levels), plugins };
  }

  /** Told when a plugin's level, or what it complains of, changes. */
  onChange(listener: (plugin: PluginHealth) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private conditionsOf(plugin: string): Map<string, Kept> {
    const own = this.conditions.get(plugin) ?? new Map<string, Kept>();
    this.conditions.set(plugin, own);
    return own;
  }

  private changing(plugin: string, change: () => void): void {
    const before = summary(this.plugin(plugin));
    change();
    const after = this.plugin(plugin);
    if (summary(after) !== before) for (const listener of this.listeners) listener(after);
  }
}

function worst(levels: readonly HealthLevel[]): HealthLevel {
  return levels.reduce<HealthLevel>((worse, level) => (RANK[level] > RANK[worse] ? level : worse), 'ok');
}

function summary({ level, conditions }: PluginHealth): string {
  return JSON.stringify([
    level,
    conditions.map((condition) => [condition.condition, condition.level, condition.detail]),
  ]);
}
