import {
  type Health,
  type Logger,
  type PacketAllowance,
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

/** What a plugin is told that asks for nothing. The switch has no limit of its own. */
const UNASKED: PacketAllowance = { perSecond: 100, burst: 200 };
/** Bursts may be so many seconds' worth of the ceiling. */
const BURST_SECONDS = 2;

/** The most that any one plugin may have, of the packets a second that the operator allows. */
export function packetCeiling(perSecond: number): PacketAllowance {
  return { perSecond, burst: perSecond * BURST_SECONDS };
}

/** What a plugin is told: as it asks, or what is left for those who ask for nothing. */
export function packetAllowance(asked: PacketAllowance | undefined, ceiling: PacketAllowance): PacketAllowance {
  if (asked !== undefined) return asked;
  return {
    perSecond: Math.min(UNASKED.perSecond, ceiling.perSecond),
    burst: Math.min(UNASKED.burst, ceiling.burst),
  };
}

/** The name under which the loss is in the plugin’s health, until packets come slowly again. */
const CONDITION = 'packets dropped';

export interface LimitedPacketInsParts {
  readonly plugin: string;
  readonly allowance: PacketAllowance;
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
  /** Packets that may be told at once, now. */
  private left: number;
  private lastAt: number;
  private dropped = 0;

  constructor(private readonly parts: LimitedPacketInsParts) {
    this.left = parts.allowance.burst;
    this.now = parts.now ?? (() => performance.now());
    this.lastAt = this.now();
  }

  subscribe(
    from: { readonly bridge: string; readonly table?: number },
    listener: (packet: ReceivedPacket) => Promise<void> | void,
  ): Unsubscribe {
    const { source, plugin, context } = this.parts;
    const end = source(plugin, from, (packet) => {
      if (this.admits()) context.outside(() => void this.tell(packet, listener), plugin);
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
    const { perSecond, burst } = this.parts.allowance;
    this.left = Math.min(burst, this.left + ((now - this.lastAt) * perSecond) / 1000);
    this.lastAt = now;
    if (this.left >= 1) {
      if (this.dropped > 0 && this.left > burst / 2) {
        this.dropped = 0;
        this.parts.health.clear(CONDITION);
      }
      this.left -= 1;
      return true;
    }
    this.dropped += 1;
    // Said for the first and then for every hundredth: a flood of packets must not become one of health reports.
    if (this.dropped % 100 === 1) {
      const detail = `${this.dropped} packets were dropped: at most ${perSecond} a second are told, in bursts of ${burst}`;
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
