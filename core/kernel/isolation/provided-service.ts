import type { Unsubscribe } from '@patchbay/sdk';
import { facade, type RemoteObjects } from './remote-objects';

interface Subscription {
  readonly path: readonly string[];
  readonly args: readonly unknown[];
  end: Unsubscribe;
}

/** A service that a plugin in a worker provides, for others: it outlives the thread, and subscriptions to it are made again in the next one. */
export class ProvidedService {
  readonly value: unknown;
  private readonly subscriptions = new Set<Subscription>();

  /** `remote` throws while there is no thread. */
  constructor(
    private readonly name: string,
    private readonly remote: () => RemoteObjects,
  ) {
    this.value = facade({
      ask: async (path, args) => this.remote().ask(this.name, path, args),
      subscribe: (path, args) => this.subscribe(path, args),
    });
  }

  /** Another thread has taken the place of the last. */
  resume(): void {
    for (const subscription of this.subscriptions) {
      subscription.end = this.remote().subscribe(this.name, subscription.path, subscription.args);
    }
  }

  private subscribe(path: readonly string[], args: readonly unknown[]): Unsubscribe {
    const subscription = { path, args, end: this.remote().subscribe(this.name, path, args) };
    this.subscriptions.add(subscription);
    return () => {
      this.subscriptions.delete(subscription);
      subscription.end();
    };
  }
}
