import type { Group, Meter, ResolvePort } from '@patchbay/sdk/flow';
import { Channel } from './channel';
import type {
  FlowFilter,
  FlowMonitor,
  FlowMonitorOptions,
  FlowRemoved,
  FlowTableClient,
  FlowTableMessage,
  FlowUpdate,
  MeterFeatures,
  PacketIn,
  PacketOut,
  PortDescription,
  PortStatus,
  SwitchDescription,
  Unsubscribe,
} from './client';
import type { InstalledFlow } from './installed-flow';
import { Listeners } from './listeners';
import { type ConntrackFilter, writeConntrackFlush, writeConntrackZoneFlush } from './messages/conntrack';
import * as replies from './messages/decode-replies';
import {
  monitorPause,
  writeFlowStatsRequest,
  writeMonitor,
  writeMonitorStop,
  writeMultipart,
} from './messages/encode-requests';
import { OF13, OF14, OFPMP, OFPT } from './messages/header';
import { bundleMessages, sendMessages } from './send';
import { type OpenFlowTarget, openSocket } from './transport';

export interface ConnectionOptions {
  readonly bridge: string;
  readonly target: OpenFlowTarget;
  /** Names of ports to OpenFlow numbers, for what is sent. */
  readonly resolvePort?: ResolvePort;
  /** OpenFlow numbers to names of ports, for groups read back. */
  readonly portName?: (port: number) => string | undefined;
  /** Milliseconds; 10 s when absent. */
  readonly connectTimeout?: number;
  /** Milliseconds between checks that the switch is alive; 5 s when absent (ovs-vswitchd's own probe), 0: never. */
  readonly echoInterval?: number;
  /** Bytes of a packet that come with a packet-in; whole packets when absent. 0: Open vSwitch's management socket then sends neither packet-ins nor port status nor flow removals. */
  readonly missSendLength?: number;
  /** Wire versions to offer, 4 (OpenFlow 1.3) and 5 (1.4) when absent. */
  readonly versions?: readonly number[];
}

/** The most that a miss_send_len below OFPCML_NO_BUFFER can say. */
const WHOLE_PACKET = 0xffe5;
/** Multipart flag: another part follows (OFPMPF_REPLY_MORE). */
const MORE = 1;
/** Where a multipart reply's body starts. */
const BODY = 16;

interface Monitoring {
  readonly tell: (update: FlowUpdate) => void;
  readonly updates: (message: Buffer) => FlowUpdate[];
}

/** One bridge's OpenFlow channel. A lost connection is not made again: `ReconnectingClient` does that. */
export class OpenFlowConnection implements FlowTableClient {
  private readonly packets = new Listeners<PacketIn>();
  private readonly ports = new Listeners<PortStatus>();
  private readonly removals = new Listeners<FlowRemoved>();
  private readonly monitors = new Map<number, Monitoring>();
  private nextMonitor = 1;
  private nextBundle = 1;

  private constructor(
    private readonly options: ConnectionOptions,
    private readonly channel: Channel,
  ) {
    channel.unsolicited.add((message) => this.route(message));
  }

  /** Connects and agrees on a version. @throws OpenFlowConnectionError. */
  static async connect(options: ConnectionOptions): Promise<OpenFlowConnection> {
    const patience = options.connectTimeout ?? 10_000;
    const socket = await openSocket(options.target, patience);
    const channel = new Channel(socket, options.versions ?? [OF13, OF14], {
      echoAfter: options.echoInterval ?? 5_000,
      patience,
    });
    try {
      await channel.greet();
    } catch (error) {
      await channel.close();
      throw error;
    }
    const connection = new OpenFlowConnection(options, channel);
    await connection.setMissSendLength(options.missSendLength ?? WHOLE_PACKET);
    return connection;
  }

  get bridge(): string {
    return this.options.bridge;
  }

  /** Agreed wire version: 4 is OpenFlow 1.3, 5 is 1.4. */
  get version(): number {
    return this.channel.version;
  }

  private get resolve(): ResolvePort {
    return this.options.resolvePort ?? (() => undefined);
  }

  private async multipart<Item>(
    type: number,
    body: (writer: Parameters<typeof writeMultipart>[0]) => void,
    read: (bytes: Buffer, into: Item[]) => void,
  ): Promise<Item[]> {
    const items: Item[] = [];
    await this.channel.request(
      OFPT.MULTIPART_REQUEST,
      (writer) => writeMultipart(writer, type, body),
      (message) => {
        read(message, items);
        return (message.readUInt16BE(10) & MORE) === 0 ? 'settled' : 'more';
      },
    );
    return items;
  }

  dumpFlows(filter: FlowFilter = {}): Promise<InstalledFlow[]> {
    return this.multipart<InstalledFlow>(
      OFPMP.FLOW,
      (writer) => writeFlowStatsRequest(writer, filter, this.resolve),
      (bytes, into) => replies.decodeFlowStats(this.bridge, bytes, BODY, into),
    );
  }

  dumpGroups(): Promise<Group[]> {
    const nameOf = this.options.portName ?? (() => undefined);
    return this.multipart<Group>(
      OFPMP.GROUP_DESC,
      () => {},
      (bytes, into) => replies.decodeGroups(this.bridge, bytes, BODY, nameOf, into),
    );
  }

  dumpMeters(): Promise<Meter[]> {
    const all = 0xffffffff;
    return this.multipart<Meter>(
      OFPMP.METER_CONFIG,
      (writer) => {
        writer.u32(all);
        writer.zeros(4);
      },
      (bytes, into) => replies.decodeMeters(this.bridge, bytes, BODY, into),
    );
  }

  async meterFeatures(): Promise<MeterFeatures> {
    return replies.decodeMeterFeatures(await this.one(OFPMP.METER_FEATURES), BODY);
  }

  async description(): Promise<SwitchDescription> {
    return replies.decodeDescription(await this.one(OFPMP.DESC), BODY);
  }

  private one(type: number): Promise<Buffer> {
    return this.channel.request(OFPT.MULTIPART_REQUEST, (writer) => writeMultipart(writer, type, () => {}));
  }

  /** Datapath id of the bridge. */
  async datapathId(): Promise<bigint> {
    return (await this.channel.request(OFPT.FEATURES_REQUEST, () => {})).readBigUInt64BE(8);
  }

  portDescriptions(): Promise<PortDescription[]> {
    return this.multipart<PortDescription>(
      OFPMP.PORT_DESC,
      (writer) => {
        if (this.version > OF14) writer.zeros(8);
      },
      (bytes, into) => replies.decodePorts(this.version, bytes, BODY, into),
    );
  }

  async barrier(): Promise<void> {
    await this.channel.request(OFPT.BARRIER_REQUEST, () => {});
  }

  bundle(messages: readonly FlowTableMessage[]): Promise<void> {
    const bundle = this.nextBundle;
    this.nextBundle = bundle === 0x7fffffff ? 1 : bundle + 1;
    return bundleMessages(this.channel, this.resolve, bundle, messages);
  }

  send(messages: readonly FlowTableMessage[]): Promise<void> {
    return sendMessages(this.channel, this.resolve, messages);
  }

  async packetOut(packet: PacketOut): Promise<void> {
    await sendMessages(this.channel, this.resolve, [packet]);
  }

  private setMissSendLength(bytes: number): Promise<void> {
    return this.channel.tell(OFPT.SET_CONFIG, (writer) => {
      writer.u16(0);
      writer.u16(bytes);
    });
  }

  /** Forgets the connections of one conntrack zone. */
  async flushConntrackZone(zone: number): Promise<void> {
    await this.channel.tell(OFPT.EXPERIMENTER, (writer) => writeConntrackZoneFlush(writer, zone));
    await this.barrier();
  }

  /** Forgets the connections that meet a filter. Open vSwitch answers OFPBRC_BAD_SUBTYPE before 3.1. */
  async flushConntrack(filter: ConntrackFilter): Promise<void> {
    await this.channel.tell(OFPT.EXPERIMENTER, (writer) => writeConntrackFlush(writer, filter));
    await this.barrier();
  }

  async flowMonitor(listener: (update: FlowUpdate) => void, options: FlowMonitorOptions = {}): Promise<FlowMonitor> {
    const id = this.nextMonitor++;
    const updates = (message: Buffer) => replies.decodeFlowUpdates(this.bridge, this.version, message, BODY);
    this.monitors.set(id, { tell: listener, updates });
    try {
      await this.channel.request(
        OFPT.MULTIPART_REQUEST,
        (writer) => writeMonitor(writer, this.version, id, options),
        (message) => {
          for (const update of updates(message))
            listener(update.event === 'added' ? { ...update, event: 'initial' } : update);
          return (message.readUInt16BE(10) & MORE) === 0 ? 'settled' : 'more';
        },
      );
    } catch (error) {
      this.monitors.delete(id);
      throw error;
    }
    return {
      stop: async () => {
        if (!this.monitors.delete(id)) return;
        await this.channel.tell(this.version === OF13 ? OFPT.EXPERIMENTER : OFPT.MULTIPART_REQUEST, (writer) =>
          writeMonitorStop(writer, this.version, id),
        );
        await this.barrier();
      },
    };
  }

  onPacketIn(listener: (packet: PacketIn) => void): Unsubscribe {
    return this.packets.add(listener);
  }

  onPortStatus(listener: (status: PortStatus) => void): Unsubscribe {
    return this.ports.add(listener);
  }

  onFlowRemoved(listener: (removed: FlowRemoved) => void): Unsubscribe {
    return this.removals.add(listener);
  }

  onClose(listener: (reason: Error | undefined) => void): Unsubscribe {
    return this.channel.closed.add(listener);
  }

  close(): Promise<void> {
    return this.channel.close();
  }

  private route(message: Buffer): void {
    switch (message[1]) {
      case OFPT.PACKET_IN:
        this.packets.tell(replies.decodePacketIn(message));
        return;
      case OFPT.PORT_STATUS:
        this.ports.tell(replies.decodePortStatus(message));
        return;
      case OFPT.FLOW_REMOVED:
        this.removals.tell(replies.decodeFlowRemoved(message));
        return;
      case OFPT.MULTIPART_REPLY:
        for (const { tell, updates } of this.monitors.values()) for (const update of updates(message)) tell(update);
        return;
      case OFPT.EXPERIMENTER: {
        const event = monitorPause(message);
        if (event !== undefined) for (const { tell } of this.monitors.values()) tell({ event });
        return;
      }
      default:
        return;
    }
  }
}
