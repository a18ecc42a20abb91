import type { Unsubscribe } from './client';

/** Subscribers of one kind of event, told in the order in which they came. */
export class Listeners<Event> {
  private readonly members = new Set<(event: Event) => void>();

  add(listener: (event: Event) => void): Unsubscribe {
    const member = (event: Event) => listener(event);
    this.members.add(member);
    return () => {
      this.members.delete(member);
    };
  }

  tell(event: Event): void {
    for (const member of [...this.members]) member(event);
  }
}
