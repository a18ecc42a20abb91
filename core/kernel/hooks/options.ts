import type { Logger, PatchbayError } from '@patchbay/sdk';
import type { EventContext } from '../event-context';
import type { BreakerSettings } from './breaker';
import type { TapMarker } from './marker';
import type { TapTrace } from './trace';

export interface HookSettings {
  /** Milliseconds that a tap may take, by family. */
  readonly budgetsMs: Readonly<Record<'before' | 'on' | 'resolve' | 'contribute', number>>;
  readonly breaker: BreakerSettings;
  /** How many taps the trace remembers. */
  readonly traceSize: number;
}

/** The budgets of house rule: what a port waits for is short. Five failures in a row, half a minute's rest. */
export const HOOK_SETTINGS: HookSettings = {
  budgetsMs: { before: 1000, on: 5000, resolve: 1000, contribute: 5000 },
  breaker: { failures: 5, probeAfterMs: 30_000 },
  traceSize: 512,
};

export type RawTap = (payload: unknown, context: unknown) => unknown;

export interface HookTableOptions {
  readonly context: EventContext;
  readonly marker: TapMarker;
  readonly settings: HookSettings;
  readonly loggerOf: (plugin: string) => Logger;
  readonly isRequired: (plugin: string) => boolean;
  /** Where a tap's failure shows: a condition of its plugin; null takes it away. */
  readonly condition: (plugin: string, name: string, error: PatchbayError | null) => void;
  /** Ids that `before` and `after` may name. */
  readonly knownPlugins: ReadonlySet<string>;
  /** Replaced id → the id that took its place. */
  readonly standIns: ReadonlyMap<string, string>;
  /** Milliseconds, for the rest that a switched-off plugin is given. */
  readonly now?: () => number;
  readonly onTrace?: (entry: TapTrace) => void;
}
