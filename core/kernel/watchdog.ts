import type { Unsubscribe } from '@patchbay/sdk';
import { KernelError } from './errors';
import type { TapMarker } from './hooks/marker';

export interface WatchdogOptions {
  readonly marker: TapMarker;
  /** Milliseconds between looks. */
  readonly intervalMs: number;
  /** Milliseconds late that count as blocked. */
  readonly limitMs: number;
  readonly onBlocked: (block: {
    readonly ms: number;
    readonly plugins: readonly string[];
    readonly message: string;
  }) => void;
  /** Milliseconds, never going back. */
  readonly now?: () => number;
}

/** Notices that the event loop stood still, by its own timer's being late, and names the taps that were at work then. */
export function watchEventLoop(options: WatchdogOptions): Unsubscribe {
  const now = options.now ?? (() => performance.now());
  let expected = now() + options.intervalMs;
  const timer = setInterval(() => {
    const late = now() - expected;
    expected = now() + options.intervalMs;
    const suspects = options.marker.sinceLast();
    if (late < options.limitMs) return;
    const named = [...new Set(suspects.map(({ plugin, hook }) => `${plugin} in ${hook}`))];
    const ms = Math.round(late);
    const { message } = KernelError.loopBlocked({ ms, suspects: named.length > 0 ? named : 'no tap' });
    options.onBlocked({ ms, plugins: [...new Set(suspects.map(({ plugin }) => plugin))], message });
  }, options.intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
