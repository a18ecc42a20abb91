import type { ReceivedPacket, Unsubscribe } from '@patchbay/sdk';
import { cookieOf } from './cookies';
import type { FlowTableClient, PacketIn } from './openflow';
import type { Rows } from './planner/rows';

interface Subscription {
  readonly cookie: bigint;
  readonly bridge: string;
  readonly table: number | undefined;
  readonly listener: (packet: ReceivedPacket) => void;
}

/** Packets that flows sent up, told to the plugin whose cookie the flow bears. */
export class PacketDispatch {
  private readonly subscriptions = new Set<Subscription>();

  constructor(private readonly rows: Rows) {}

  /** Listens on a connection for as long as it lives. */
  attach(bridge: string, client: FlowTableClient): void {
    client.onPacketIn((packet) => this.tell(bridge, packet));
  }

  subscribe(
    plugin: string,
    from: { readonly bridge: string; readonly table?: number },
    listener: (packet: ReceivedPacket) => void,
  ): Unsubscribe {
    const subscription = { cookie: cookieOf(plugin), bridge: from.bridge, table: from.table, listener };
    this.subscriptions.add(subscription);
    return () => this.subscriptions.delete(subscription);
  }

  private tell(bridge: string, packet: PacketIn): void {
    for (const { cookie, bridge: wanted, table, listener } of this.subscriptions) {
      if (wanted !== bridge || cookie !== packet.cookie || (table !== undefined && table !== packet.table)) continue;
      listener({
        bridge,
        table: packet.table,
        inPort: this.portNamed(bridge, packet.inPort),
        match: packet.match,
        totalLength: packet.totalLength,
        bytes: Uint8Array.from(packet.frame),
      });
    }
  }

  private portNamed(bridge: string, number: number): string | null {
    for (const port of this.rows.ports()) {
      if (port.bridge === bridge && port.interfaces[0]?.ofport === number) return port.name;
    }
    return null;
  }
}
