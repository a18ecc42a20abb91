import { formatEthernet, type Group, type Meter, type MeterBand } from '@patchbay/sdk/flow';
import type {
  FlowRemoved,
  FlowUpdate,
  MeterFeatures,
  PacketIn,
  PortDescription,
  PortStatus,
  SwitchDescription,
} from '../client';
import { InstalledFlow } from '../installed-flow';
import { decodeActions } from '../wire/decode-actions';
import { decodeMatch, type PortNameOf, portRef } from '../wire/decode-match';
import { matchBounds } from '../wire/oxm';
import { OF13 } from './header';

const noNames: PortNameOf = () => undefined;

function text(bytes: Buffer, at: number, length: number): string {
  const end = bytes.indexOf(0, at);
  return bytes.toString('utf8', at, end < 0 || end > at + length ? at + length : end);
}

const cookies = new Map<number, bigint>();

/** A cookie; the same few are on all flows, and stand for them as one number. */
function cookieAt(bytes: Buffer, at: number): bigint {
  const high = bytes.readUInt32BE(at);
  const low = bytes.readUInt32BE(at + 4);
  const known = cookies.get(low);
  if (known !== undefined && Number(known >> 32n) === high) return known;
  const cookie = bytes.readBigUInt64BE(at);
  if (cookies.size >= 1024) cookies.clear();
  cookies.set(low, cookie);
  return cookie;
}

/** Flow statistics entries of one multipart part, appended to `into`. */
export function decodeFlowStats(bridge: string, bytes: Buffer, from: number, into: InstalledFlow[]): void {
  let at = from;
  while (at + 56 <= bytes.length) {
    const end = at + bytes.readUInt16BE(at);
    if (end <= at) break;
    const match = matchBounds(bytes, at + 48);
    into.push(
      new InstalledFlow(
        {
          bridge,
          table: bytes[at + 2] ?? 0,
          priority: bytes.readUInt16BE(at + 12),
          idleTimeout: bytes.readUInt16BE(at + 14),
          hardTimeout: bytes.readUInt16BE(at + 16),
          flags: bytes.readUInt16BE(at + 18),
          cookie: cookieAt(bytes, at + 24),
        },
        { bytes, matchFrom: match.from, matchTo: match.to, instructionsFrom: match.end, instructionsTo: end },
      ),
    );
    at = end;
  }
}

function decodePort(bytes: Buffer, at: number): PortDescription {
  return {
    port: bytes.readUInt32BE(at),
    macAddress: formatEthernet(bytes.subarray(at + 8, at + 14)),
    name: text(bytes, at + 16, 16),
    config: bytes.readUInt32BE(at + 32),
    state: bytes.readUInt32BE(at + 36),
  };
}

/** OpenFlow 1.3's ofp_port is 64 bytes; 1.4's says its own length. */
export function decodePorts(version: number, bytes: Buffer, from: number, into: PortDescription[]): void {
  let at = from;
  while (at + 40 <= bytes.length) {
    into.push(decodePort(bytes, at));
    const length = version === OF13 ? 64 : bytes.readUInt16BE(at + 4);
    if (length < 40) break;
    at += length;
  }
}

const PORT_REASONS = ['add', 'delete', 'modify'] as const;

export function decodePortStatus(bytes: Buffer): PortStatus {
  return { reason: PORT_REASONS[bytes[8] ?? 2] ?? 'modify', port: decodePort(bytes, 16) };
}

const GROUP_KINDS = ['all', 'select', 'indirect', 'ff'] as const;

export function decodeGroups(bridge: string, bytes: Buffer, from: number, nameOf: PortNameOf, into: Group[]): void {
  let at = from;
  while (at + 8 <= bytes.length) {
    const end = at + bytes.readUInt16BE(at);
    if (end <= at) break;
    const kind = GROUP_KINDS[bytes[at + 2] ?? 0] ?? 'all';
    const buckets: Group['buckets'][number][] = [];
    let bucket = at + 8;
    while (bucket + 16 <= end) {
      const bucketEnd = bucket + bytes.readUInt16BE(bucket);
      if (bucketEnd <= bucket) break;
      const weight = bytes.readUInt16BE(bucket + 2);
      const watchPort = bytes.readUInt32BE(bucket + 4);
      const watchGroup = bytes.readUInt32BE(bucket + 8);
      buckets.push({
        ...(weight === 0 ? {} : { weight }),
        ...(watchPort === 0xffffffff ? {} : { watchPort: portRef(watchPort, nameOf) }),
        ...(watchGroup === 0xffffffff ? {} : { watchGroup }),
        actions: decodeActions(bytes, bucket + 16, bucketEnd, nameOf),
      });
      bucket = bucketEnd;
    }
    into.push({ bridge, group: bytes.readUInt32BE(at + 4), kind, buckets });
    at = end;
  }
}

export function decodeMeters(bridge: string, bytes: Buffer, from: number, into: Meter[]): void {
  let at = from;
  while (at + 8 <= bytes.length) {
    const end = at + bytes.readUInt16BE(at);
    if (end <= at) break;
    const flags = bytes.readUInt16BE(at + 2);
    const bands: MeterBand[] = [];
    for (let band = at + 8; band + 16 <= end; band += bytes.readUInt16BE(band + 2) || 16) {
      const remark = bytes.readUInt16BE(band) === 2;
      bands.push({
        kind: remark ? 'dscp_remark' : 'drop',
        rate: bytes.readUInt32BE(band + 4),
        ...((flags & 4) === 0 ? {} : { burst: bytes.readUInt32BE(band + 8) }),
        ...(remark ? { precedenceLevel: bytes[band + 12] ?? 0 } : {}),
      });
    }
    into.push({
      bridge,
      meter: bytes.readUInt32BE(at + 4),
      unit: (flags & 2) === 0 ? 'kbps' : 'pktps',
      ...((flags & 8) === 0 ? {} : { stats: true }),
      bands,
    });
    at = end;
  }
}

export function decodeMeterFeatures(bytes: Buffer, from: number): MeterFeatures {
  return { maxMeters: bytes.readUInt32BE(from), maxBands: bytes[from + 12] ?? 0 };
}

export function decodeDescription(bytes: Buffer, from: number): SwitchDescription {
  const field = (index: number) => text(bytes, from + index * 256, 256);
  return {
    manufacturer: field(0),
    hardware: field(1),
    software: field(2),
    serial: text(bytes, from + 768, 32),
    datapath: text(bytes, from + 800, 256),
  };
}

export function decodePacketIn(bytes: Buffer): PacketIn {
  const bounds = matchBounds(bytes, 24);
  const { in_port: inPort, ...match } = decodeMatch(bytes, bounds.from, bounds.to, noNames);
  return {
    totalLength: bytes.readUInt16BE(12),
    reason: bytes[14] ?? 0,
    table: bytes[15] ?? 0,
    cookie: bytes.readBigUInt64BE(16),
    inPort: typeof inPort === 'number' ? inPort : inPort === 'LOCAL' ? 0xfffffffe : 0xfffffffd,
    match,
    frame: Buffer.from(bytes.subarray(bounds.end + 2)),
  };
}

export function decodeFlowRemoved(bytes: Buffer): FlowRemoved {
  const bounds = matchBounds(bytes, 48);
  return {
    cookie: bytes.readBigUInt64BE(8),
    priority: bytes.readUInt16BE(16),
    reason: bytes[18] ?? 0,
    table: bytes[19] ?? 0,
    packetCount: bytes.readBigUInt64BE(32),
    byteCount: bytes.readBigUInt64BE(40),
    match: decodeMatch(bytes, bounds.from, bounds.to, noNames),
  };
}

interface UpdateLayout {
  /** Event numbers in order, up to the abbreviated one. */
  readonly events: readonly ('initial' | 'added' | 'removed' | 'modified')[];
  readonly table: number;
  readonly priority: number;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
}

/** OFPMP_FLOW_MONITOR of OpenFlow 1.4.1, 7.3.5.18.2. */
const NATIVE_UPDATE: UpdateLayout = {
  events: ['initial', 'added', 'removed', 'modified'],
  table: 4,
  idleTimeout: 6,
  hardTimeout: 8,
  priority: 10,
};
/** ONF extension 187 for OpenFlow 1.3: Nicira's head with a match and instructions of 1.3. What was there already comes as added. */
const EXTENSION_UPDATE: UpdateLayout = {
  events: ['added', 'removed', 'modified'],
  priority: 6,
  idleTimeout: 8,
  hardTimeout: 10,
  table: 14,
};
/** Experimenter and its type, in front of the extension's updates. */
const EXTENSION_HEAD = 8;

/** The updates in one part of a flow monitor's reply; `from` is where a multipart reply's body starts. */
export function decodeFlowUpdates(bridge: string, version: number, bytes: Buffer, from: number): FlowUpdate[] {
  const layout = version === OF13 ? EXTENSION_UPDATE : NATIVE_UPDATE;
  const abbreviated = layout.events.length;
  const updates: FlowUpdate[] = [];
  let at = version === OF13 ? from + EXTENSION_HEAD : from;
  while (at + 8 <= bytes.length) {
    const end = at + bytes.readUInt16BE(at);
    if (end <= at) break;
    const kind = bytes.readUInt16BE(at + 2);
    const event = layout.events[kind];
    if (event !== undefined) {
      const match = matchBounds(bytes, at + 24);
      const head = {
        bridge,
        table: bytes[at + layout.table] ?? 0,
        idleTimeout: bytes.readUInt16BE(at + layout.idleTimeout),
        hardTimeout: bytes.readUInt16BE(at + layout.hardTimeout),
        priority: bytes.readUInt16BE(at + layout.priority),
        cookie: bytes.readBigUInt64BE(at + 16),
        flags: 0,
      };
      const wire = {
        bytes,
        matchFrom: match.from,
        matchTo: match.to,
        instructionsFrom: match.end,
        instructionsTo: end,
      };
      updates.push({ event, flow: new InstalledFlow(head, wire) });
    } else if (kind === abbreviated) {
      updates.push({ event: 'own', xid: bytes.readUInt32BE(at + 4) });
    } else {
      updates.push({ event: kind === abbreviated + 1 ? 'paused' : 'resumed' });
    }
    at = end;
  }
  return updates;
}
