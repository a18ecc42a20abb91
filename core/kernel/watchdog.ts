import { readFileSync } from 'node:fs';
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
  /** Milliseconds for which the process was ready to run and had no processor, since it began. */
  readonly waitedMs?: () => number;
}

/**
 * Notices that the event loop stood still, by its own timer's being late, and names the taps that were at work then. Time in which a busy
 * machine had no processor for the process does not count: no tap is to blame for it.
 */
export function watchEventLoop(options: WatchdogOptions): Unsubscribe {
  const now = options.now ?? (() => performance.now());
  const waitedMs = options.waitedMs ?? waitedOfMainThread;
  let expected = now() + options.intervalMs;
  let waited = waitedMs();
  const timer = setInterval(() => {
    const waitedBefore = waited;
    waited = waitedMs();
    const late = now() - expected - (waited - waitedBefore);
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

/** As Linux counts it (proc(5), schedstat: nanoseconds on a processor, and waiting for one); 0 where it does not. */
function waitedOfMainThread(): number {
  try {
    const [, waited = '0'] = readFileSync('/proc/self/schedstat', 'utf8').split(' ');
    return Number(waited) / 1e6;
  } catch {
    return 0;
  }
}
