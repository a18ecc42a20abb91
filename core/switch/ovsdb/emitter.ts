/** Takes a listener off again. Calling it twice does no harm. */
export type Unsubscribe = () => void;

/**
 * Typed events. A listener that throws stops neither the other listeners nor the emitting code: the error surfaces as an
 * uncaught exception of its own, as it would from any callback.
 */
export class Emitter<Events extends { [Name in keyof Events]: unknown }> {
  private readonly listeners = new Map<keyof Events, Set<(event: never) => void>>();

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): Unsubscribe {
    const registration = (event: Events[Name]): void => listener(event);
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set);
    set.add(registration);
    return () => set.delete(registration);
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...(this.listeners.get(name) ?? [])]) {
      try {
        (listener as (event: Events[Name]) => void)(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
