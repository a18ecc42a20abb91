/** How long to wait between rounds of connection attempts. Seconds, as the options have them. */
export interface RetryOptions {
  /** rabbit_retry_interval */
  readonly first: number;
  /** rabbit_retry_backoff: added at every round (kombu's interval step is a sum, not a factor). */
  readonly step: number;
  /** rabbit_interval_max */
  readonly max: number;
}

/** The share of a pause that is left to chance, so that the agents of a cloud, who all lost the broker at once, do not return in step. */
const CHANCE = 0.5;

/** A connection that ends sooner than this is not made again at once, lest a broker that throws us out is hammered. */
const SHORT_LIVED_MS = 5_000;

/** Milliseconds to wait after round number `round` (0 is the first): what the options say, less up to half of it. `random` is from 0 to 1. */
export function retryDelayMs(retry: RetryOptions, round: number, random: () => number): number {
  const full = Math.min(retry.first + retry.step * round, Math.max(retry.max, retry.first)) * 1000;
  return full * (1 - CHANCE * random());
}

/** Milliseconds to wait before the first try after a connection that lived so long was lost: up to the first pause. */
export function pauseAfterLossMs(retry: RetryOptions, livedMs: number, random: () => number): number {
  return livedMs < SHORT_LIVED_MS ? retryDelayMs(retry, 0, random) : retry.first * 1000 * random();
}

export interface CallTimeoutOptions {
  /** rpc_response_timeout in milliseconds. */
  readonly initialMs: number;
  /** rpc_response_max_timeout in milliseconds. */
  readonly maxMs: number;
  readonly random?: () => number;
}

/** A timed out caller is held back at most this long before it learns of it: Neutron's client sleeps up to 60 s. */
const LONGEST_PENALTY_MS = 60_000;

/**
 * Neutron's policy against a server that is overrun: every method has a timeout of its own, which doubles with each timeout up to
 * a maximum, and a timed out caller is held back a random while, so that a thousand agents do not come back at once. Calls that waited
 * side by side double it once. Unlike Neutron's it is forgotten once an answer came within the initial timeout: a lost answer after an
 * outage of an hour ago must not take ten minutes.
 */
export class CallTimeouts {
  private readonly current = new Map<string, number>();
  private readonly random: () => number;
  private readonly maxMs: number;

  constructor(private readonly options: CallTimeoutOptions) {
    this.maxMs = options.maxMs;
    this.random = options.random ?? Math.random;
  }

  /** Milliseconds the next call of this method waits. */
  timeoutOf(scopedMethod: string): number {
    return Math.min(this.current.get(scopedMethod) ?? this.options.initialMs, this.maxMs);
  }

  /**
   * Counts the timeout of a call that waited this many milliseconds, and returns the milliseconds to hold its caller back:
   * random(0, min(what it waited, 60 s)).
   */
  timedOut(scopedMethod: string, waitedMs: number): number {
    if (waitedMs >= this.timeoutOf(scopedMethod)) this.current.set(scopedMethod, Math.min(waitedMs * 2, this.maxMs));
    return this.random() * Math.min(waitedMs, LONGEST_PENALTY_MS);
  }

  /** An answer came after this many milliseconds. */
  answered(scopedMethod: string, tookMs: number): void {
    if (tookMs <= this.options.initialMs) this.current.delete(scopedMethod);
  }
}

/** Two methods of one name in different namespaces are counted apart. */
export function scopedMethod(namespace: string | undefined, method: string): string {
  return namespace === undefined ? method : `${namespace}.${method}`;
}

/** Milliseconds to wait before each further try: doubled every time, from the first up to the longest. */
export function* doublingPauses(firstMs: number, longestMs: number): Generator<number, never> {
  for (let next = firstMs; ; next = Math.min(next * 2, longestMs)) yield next;
}

/** Resolves after the time or as soon as the signal aborts, whichever is first. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Waits for the promise, whatever becomes of it, but no longer than this many milliseconds. */
export async function waitAtMost(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const settled = promise.then(
    () => done.abort(),
    () => done.abort(),
  );
  await Promise.race([settled, pause(milliseconds, done.signal)]);
}
