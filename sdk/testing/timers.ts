/** Timers that somebody other than the agent made and that are still to fire. */
export interface TimerWatch {
  /** Where each was made. */
  outstanding(): readonly string[];
  end(): void;
}

type Timer = ReturnType<typeof setTimeout>;

/** From now on notes who makes timers. The agent's own, which its services answer for, do not count. */
export function watchTimers(): TimerWatch {
  const real = { setTimeout, setInterval, clearTimeout, clearInterval };
  const made = new Map<Timer, string>();
  const note = (timer: Timer, place: string | undefined): Timer => {
    if (place !== undefined) made.set(timer, place);
    return timer;
  };
  const drop = (timer: unknown): void => {
    made.delete(timer as Timer);
  };
  const replaced = {
    setTimeout: Object.assign((act: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): Timer => {
      const timer: Timer = real.setTimeout(() => {
        drop(timer);
        act(...args);
      }, ms);
      return note(timer, maker());
    }, real.setTimeout),
    setInterval: (act: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): Timer =>
      note(real.setInterval(act, ms, ...args), maker()),
    clearTimeout: (timer: Timer): void => {
      drop(timer);
      real.clearTimeout(timer);
    },
    clearInterval: (timer: Timer): void => {
      drop(timer);
      real.clearInterval(timer);
    },
  };
  Object.assign(globalThis, replaced);
  return {
    outstanding: () => [...made.values()],
    end: () => {
      Object.assign(globalThis, real);
    },
  };
}

/** The first frame of the stack that is neither this file's nor Node's; undefined for the agent's and the kit's own. */
function maker(): string | undefined {
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  const first = frames.find(
    (frame) => !frame.includes('node:') && !/[\\/]testing[\\/](dist[\\/])?timers\./.test(frame),
  );
  if (first === undefined) return undefined;
  return /[\\/](core|@patchbay[\\/](agent|testing)|sdk[\\/]testing)[\\/]/.test(first) ? undefined : first.trim();
}
