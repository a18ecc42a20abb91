import { AsyncResource } from 'node:async_hooks';
import type { Announcer, HookCalls, KeyAcknowledgement } from '@patchbay/sdk';
import { KernelError } from '../errors';
import type { Outcome, StatedChange } from './messages';

type InEvent = (method: string, args: readonly unknown[]) => unknown;

/** Events that a plugin in a worker announces: its hook calls, and what it states meanwhile, are the event's. */
export class RemoteEvents {
  private readonly open = new Map<number, InEvent>();
  private readonly left = new Map<number, () => Promise<readonly KeyAcknowledgement[]>>();
  private last = 0;

  constructor(
    private readonly announcer: Announcer,
    private readonly state: (changes: readonly StatedChange[]) => void,
  ) {}

  /** Runs the worker's act within an event, and answers with the event's number and the act's value. */
  async run(cause: string, act: (event: number) => Promise<Outcome>): Promise<{ event: number; value: unknown }> {
    this.last += 1;
    const event = this.last;
    try {
      const outcome = await this.announcer.event(cause, async (calls) => {
        this.open.set(event, inThisContext(calls));
        const { value, changes } = await act(event);
        this.state(changes);
        return value;
      });
      this.left.set(event, outcome.acknowledged);
      return { event, value: outcome.value };
    } finally {
      this.open.delete(event);
    }
  }

  call(event: number, method: string, args: readonly unknown[]): unknown {
    const inEvent = this.open.get(event);
    if (inEvent === undefined) throw KernelError.stopping({ cause: `${method} after its event` });
    return inEvent(method, args);
  }

  /** Asked once for every event that left. */
  async acknowledged(event: number): Promise<readonly KeyAcknowledgement[]> {
    const acknowledged = this.left.get(event);
    this.left.delete(event);
    return (await acknowledged?.()) ?? [];
  }
}

/** Messages come outside of any event: calls are led back into the one that they belong to. */
function inThisContext(calls: HookCalls): InEvent {
  return AsyncResource.bind((method: string, args: readonly unknown[]): unknown =>
    Reflect.apply(Reflect.get(calls, method), calls, args),
  );
}
