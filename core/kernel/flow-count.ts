import type { EventFrame, TapFrame } from './event-context';

/** Where a statement was made: within an event, and perhaps within a tap of it. */
export interface StatedIn {
  readonly event: Pick<EventFrame, 'state'>;
  readonly tap: Pick<TapFrame, 'state'> | undefined;
}

interface Staged {
  readonly place: StatedIn;
  readonly counts: Map<string, number>;
}

/**
 * How many flows a plugin wants, over all its keys. What is stated within an event or a tap counts while that is under way, and goes on
 * counting once it has left; what came to nothing never did.
 */
export class FlowCount {
  private readonly counts = new Map<string, number>();
  /** By the tap, or else the event, that they were stated in. */
  private readonly staged = new Map<object, Staged>();
  private total = 0;

  /** All of them, if the key had that many. */
  with(key: string, flows: number): number {
    this.settle();
    let sum = this.total - (this.counts.get(key) ?? 0) + flows;
    for (const { counts } of this.staged.values()) {
      for (const [other, count] of counts) if (other !== key) sum += count - (this.counts.get(other) ?? 0);
    }
    return sum;
  }

  /** The key has that many now. `place`: where that was stated, if it may yet come to nothing. */
  note(key: string, flows: number, place: StatedIn | undefined): void {
    if (place === undefined || outcomeOf(place) === 'left') {
      this.keep(key, flows);
      return;
    }
    const frame = place.tap ?? place.event;
    const staged = this.staged.get(frame) ?? { place, counts: new Map<string, number>() };
    this.staged.set(frame, staged);
    staged.counts.set(key, flows);
  }

  private settle(): void {
    for (const [frame, { place, counts }] of this.staged) {
      const outcome = outcomeOf(place);
      if (outcome === 'open') continue;
      this.staged.delete(frame);
      if (outcome === 'left') for (const [key, flows] of counts) this.keep(key, flows);
    }
  }

  private keep(key: string, flows: number): void {
    this.total += flows - (this.counts.get(key) ?? 0);
    if (flows === 0) this.counts.delete(key);
    else this.counts.set(key, flows);
  }
}

function outcomeOf({ event, tap }: StatedIn): 'open' | 'left' | 'dropped' {
  if (event.state === 'dropped' || tap?.state === 'dropped') return 'dropped';
  return event.state === 'open' || tap?.state === 'open' ? 'open' : 'left';
}
