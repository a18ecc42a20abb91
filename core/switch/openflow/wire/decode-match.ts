import {
  CT_STATE_FLAGS,
  type Field,
  type FieldValue,
  fieldNamed,
  formatEthernet,
  formatIpv4,
  formatIpv6,
  type Match,
  type MatchValue,
  narrowest,
  type PortRef,
  RESERVED_PORTS,
  type ReservedPort,
} from '@patchbay/sdk/flow';
import { readFields } from './oxm';

export type PortNameOf = (port: number) => string | undefined;

const reservedNames = new Map<number, ReservedPort>(
  (['IN_PORT', 'NORMAL', 'FLOOD', 'ALL', 'CONTROLLER', 'LOCAL'] as const).map((name) => [RESERVED_PORTS[name], name]),
);
const VLAN_VID = fieldNamed('vlan_vid');
const IN_PORT_NAMES = new Set(['in_port', 'in_port_oxm']);

/** A port number as a reserved name, a port's name, or itself. */
export function portRef(number: number, nameOf: PortNameOf): PortRef {
  const reserved = reservedNames.get(number);
  if (reserved !== undefined) return reserved;
  const name = nameOf(number);
  return name === undefined ? number : { port: name };
}

/** A port number of sixteen bits, as Nicira actions have it, with OpenFlow 1.1's number for reserved ports. */
export function widenPort(number: number): number {
  return number >= 0xff00 ? number + 0xffff0000 : number;
}

export function bytesToNumber(bytes: Buffer): number | bigint {
  return bytes.length <= 6 ? bytes.readUIntBE(0, bytes.length) : narrowest(BigInt(`0x${bytes.toString('hex')}`));
}

/** A value in the notation of its field: addresses as text, the rest as numbers. */
export function decodeValue(field: Field, bytes: Buffer): FieldValue {
  switch (field.notation) {
    case 'ethernet':
      return formatEthernet(bytes);
    case 'ipv4':
      return formatIpv4(bytes);
    case 'ipv6':
      return formatIpv6(bytes);
    default:
      return bytesToNumber(bytes);
  }
}

/** Length of the prefix a mask is, or undefined when it is none. */
function prefixLength(mask: Buffer): number | undefined {
  const bits = BigInt(`0x${mask.toString('hex')}`)
    .toString(2)
    .padStart(mask.length * 8, '0');
  const length = bits.indexOf('0');
  if (length < 0) return mask.length * 8;
  return bits.includes('1', length) ? undefined : length;
}

function flagText(value: number, mask: number): string | undefined {
  if (mask >= 1 << CT_STATE_FLAGS.length) return undefined;
  return CT_STATE_FLAGS.map((flag, bit) =>
    (mask & (1 << bit)) === 0 ? '' : `${(value & (1 << bit)) === 0 ? '-' : '+'}${flag}`,
  ).join('');
}

function decodeMasked(field: Field, value: Buffer, mask: Buffer): MatchValue {
  if (field.notation === 'ipv4' || field.notation === 'ipv6') {
    const length = prefixLength(mask);
    if (length !== undefined)
      return length === mask.length * 8 ? decodeValue(field, value) : `${decodeValue(field, value)}/${length}`;
  }
  if (field.notation === 'ct_state') {
    const text = flagText(value.readUInt32BE(0), mask.readUInt32BE(0));
    if (text !== undefined) return text;
  }
  return { value: decodeValue(field, value), mask: decodeValue(field, mask) };
}

/** The match whose OXM fields lie between two offsets. A tag that must be there with that id comes out as `dl_vlan`. Unknown fields come out as `oxm_<header>` and cannot be sent back. */
export function decodeMatch(bytes: Buffer, from: number, to: number, nameOf: PortNameOf): Match {
  const match: Record<string, MatchValue> = {};
  for (const { field, header, value, mask } of readFields(bytes, from, to)) {
    if (field === undefined) {
      match[`oxm_${header.toString(16)}`] = value.toString('hex');
    } else if (IN_PORT_NAMES.has(field.name)) {
      const number = Number(bytesToNumber(value));
      match.in_port = portRef(field.bytes === 2 ? widenPort(number) : number, nameOf);
    } else if (field === VLAN_VID && mask === undefined && (value.readUInt16BE(0) & 0x1000) !== 0) {
      match.dl_vlan = value.readUInt16BE(0) & 0xfff;
    } else {
      match[field.name] = mask === undefined ? decodeValue(field, value) : decodeMasked(field, value, mask);
    }
  }
  return match;
}
