/** The queues of a server's locks (RFC 7047 section 4.1.8): the first in a queue holds the lock. */
export class LockQueues<Session> {
  private readonly queues = new Map<string, Session[]>();

  constructor(private readonly notify: (session: Session, event: 'locked' | 'stolen', lock: string) => void) {}

  owner(lock: string): Session | undefined {
    return this.queues.get(lock)?.[0];
  }

  /** Joins the queue, or with `steal` its front; true where the lock is now held. */
  enter(session: Session, lock: string, mode: 'lock' | 'steal'): boolean {
    const queue = this.queues.get(lock) ?? [];
    const victim = queue[0];
    if (mode === 'steal') {
      this.queues.set(lock, [session, ...queue]);
      if (victim !== undefined) this.notify(victim, 'stolen', lock);
      return true;
    }
    this.queues.set(lock, [...queue, session]);
    return victim === undefined;
  }

  leave(session: Session, lock: string): void {
    const queue = this.queues.get(lock) ?? [];
    const rest = queue.filter((member) => member !== session);
    this.queues.set(lock, rest);
    const next = rest[0];
    if (queue[0] === session && next !== undefined) this.notify(next, 'locked', lock);
  }

  leaveAll(session: Session): void {
    for (const lock of this.queues.keys()) this.leave(session, lock);
  }
}
