import ipaddr from 'ipaddr.js';

/** What is in a frame, as tests send it raw. */
export interface PacketFields {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly payload: Buffer;
}

export function ipv4Packet({ source, destination, protocol, payload }: PacketFields): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(20 + payload.length, 2);
  header.writeUInt8(64, 8);
  header.writeUInt8(protocol, 9);
  octets(source).copy(header, 12);
  octets(destination).copy(header, 16);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, payload]);
}

/** Hop limit 255, as neighbours' messages have it (RFC 4861). */
export function ipv6Packet({ source, destination, protocol, payload }: PacketFields): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(payload.length, 4);
  header.writeUInt8(protocol, 6);
  header.writeUInt8(255, 7);
  Buffer.from(ipaddr.parse(source).toByteArray()).copy(header, 8);
  Buffer.from(ipaddr.parse(destination).toByteArray()).copy(header, 24);
  return Buffer.concat([header, payload]);
}

export interface TcpFields {
  readonly source: string;
  readonly destination: string;
  readonly ports: readonly [source: number, destination: number];
  /** RFC 9293, 3.1: FIN 1, SYN 2, RST 4, PSH 8, ACK 16. */
  readonly flags: number;
}

/** A segment without data, with the checksum that conntrack looks at. */
export function tcpSegment({ source, destination, ports, flags }: TcpFields): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(ports[0], 0);
  header.writeUInt16BE(ports[1], 2);
  header.writeUInt32BE(1, 4);
  header.writeUInt8(0x50, 12);
  header.writeUInt8(flags, 13);
  header.writeUInt16BE(1024, 14);
  const pseudoHeader = Buffer.concat([octets(source), octets(destination), Buffer.from([0, 6, 0, 20])]);
  header.writeUInt16BE(checksum(Buffer.concat([pseudoHeader, header])), 16);
  return header;
}

/** RFC 826: operation 2. */
export function arpReply(senderMac: string, sender: string, targetMac: string, target: string): Buffer {
  const mac = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');
  const head = Buffer.from('0001080006040002', 'hex');
  return Buffer.concat([head, mac(senderMac), octets(sender), mac(targetMac), octets(target)]);
}

/** IP protocol numbers of packets as tcpdump writes them, of the protocols that tests send raw. */
export function protocolsOf(lines: readonly string[]): readonly number[] {
  const numbers = { ICMP: 1, sctp: 132, GREv0: 47, ESP: 50 };
  return lines.flatMap((line) =>
    Object.entries(numbers).flatMap(([word, number]) =>
      line.includes(word) && !line.includes('unreachable') ? [number] : [],
    ),
  );
}

const octets = (address: string): Buffer => Buffer.from(address.split('.').map(Number));

/** RFC 1071, of an even number of octets. */
function checksum(octetsOf: Buffer): number {
  let sum = 0;
  for (let index = 0; index < octetsOf.length; index += 2) sum += octetsOf.readUInt16BE(index);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
