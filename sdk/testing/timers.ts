import { caller } from './caller';

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
      return note(timer, caller());
    }, real.setTimeout),
    setInterval: (act: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): Timer =>
      note(real.setInterval(act, ms, ...args), caller()),
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
