import {
  type Health,
  type Logger,
  type PacketIns,
  type ReceivedPacket,
  reasonOf,
  type Unsubscribe,
} from '@patchbay/sdk';
import type { EventContext } from './event-context';

/** Where packets come from: those that flows of one plugin sent up, with no limit. The switch side implements it. */
export type PacketSource = (
  plugin: string,
  from: { readonly bridge: string; readonly table?: number },
  listener: (packet: ReceivedPacket) => void,
) => Unsubscribe;

/** Packets a second that one plugin is told, and how many it may be told at once after a pause. The switch has no limit of its own. */
const RATE = 100;
const BURST = 200;
/** The name under which the loss is in the plugin’s health, until packets come slowly again. */
const CONDITION = 'packets dropped';

export interface LimitedPacketInsParts {
  readonly plugin: string;
  readonly source: PacketSource;
  readonly context: EventContext;
  readonly logger: Logger;
  readonly health: Health;
  /** Milliseconds, never going back. */
  readonly now?: () => number;
}

/** The packets of one plugin, no faster than it may have them; a listener that fails is named and stays. */
export class LimitedPacketIns implements PacketIns {
  private readonly ends = new Set<Unsubscribe>();
  private readonly now: () => number;
  private allowance = BURST;
  private lastAt: number;
  private dropped = 0;

  constructor(private readonly parts: LimitedPacketInsParts) {
    this.now = parts.now ?? (() => performance.now());
    this.lastAt = this.now();
  }

  subscribe(
    from: { readonly bridge: string; readonly table?: number },
    listener: (packet: ReceivedPacket) => Promise<void> | void,
  ): Unsubscribe {
    const { source, plugin, context } = this.parts;
    const end = source(plugin, from, (packet) => {
      if (this.admits()) context.outside(() => void this.tell(packet, listener));
    });
    this.ends.add(end);
    return () => {
      this.ends.delete(end);
      end();
    };
  }

  /** The plugin stops. */
  end(): void {
    for (const end of this.ends) end();
    this.ends.clear();
  }

  private admits(): boolean {
    const now = this.now();
    this.allowance = Math.min(BURST, this.allowance + ((now - this.lastAt) * RATE) / 1000);
    this.lastAt = now;
    if (this.allowance >= 1) {
      this.allowance -= 1;
      if (this.dropped > 0 && this.allowance > BURST / 2) {
        this.dropped = 0;
        this.parts.health.clear(CONDITION);
      }
      return true;
    }
    this.dropped += 1;
    // Said for the first and then for every hundredth: a flood of packets must not become one of health reports.
    if (this.dropped % 100 === 1) {
      const detail = `${this.dropped} packets were dropped: at most ${RATE} a second are told`;
      this.parts.health.report(CONDITION, 'degraded', detail);
    }
    return false;
  }

  private async tell(
    packet: ReceivedPacket,
    listener: (packet: ReceivedPacket) => Promise<void> | void,
  ): Promise<void> {
    const { logger, health } = this.parts;
    try {
      await listener(packet);
      health.clear('packet listener');
    } catch (thrown) {
      const reason = reasonOf(thrown);
      logger.error('A listener for packets failed', { bridge: packet.bridge, table: packet.table, reason });
      health.report('packet listener', 'degraded', reason);
    }
  }
}
