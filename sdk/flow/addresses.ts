import ipaddr from 'ipaddr.js';

const ETHERNET = /^([0-9a-f]{1,2}):([0-9a-f]{1,2}):([0-9a-f]{1,2}):([0-9a-f]{1,2}):([0-9a-f]{1,2}):([0-9a-f]{1,2})$/i;

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  if (code >= 65 && code <= 70) return code - 55;
  return -1;
}

/** Writes an Ethernet address's six bytes at `out[at]`; false when the text is none. */
export function parseEthernet(text: string, out: Uint8Array, at: number): boolean {
  if (text.length === 17) {
    let good = true;
    for (let index = 0; index < 6 && good; index++) {
      const high = hexDigit(text.charCodeAt(index * 3));
      const low = hexDigit(text.charCodeAt(index * 3 + 1));
      good = high >= 0 && low >= 0 && (index === 5 || text.charCodeAt(index * 3 + 2) === 58);
      out[at + index] = (high << 4) | low;
    }
    if (good) return true;
  }
  const parts = ETHERNET.exec(text);
  if (parts === null) return false;
  for (let index = 0; index < 6; index++) out[at + index] = Number.parseInt(parts[index + 1] ?? '', 16);
  return true;
}

/** Writes an IPv4 address's four bytes at `out[at]`; false when the text is none. */
export function parseIpv4(text: string, out: Uint8Array, at: number): boolean {
  let part = 0;
  let digits = 0;
  let index = at;
  for (let position = 0; position <= text.length; position++) {
    const code = position === text.length ? 46 : text.charCodeAt(position);
    if (code === 46) {
      if (digits === 0 || part > 255 || index >= at + 4) return false;
      out[index++] = part;
      part = 0;
      digits = 0;
    } else if (code >= 48 && code <= 57 && digits < 3) {
      part = part * 10 + code - 48;
      digits++;
    } else {
      return false;
    }
  }
  return index === at + 4;
}

/** Writes an IPv6 address's sixteen bytes at `out[at]`; false when the text is none. */
export function parseIpv6(text: string, out: Uint8Array, at: number): boolean {
  if (!ipaddr.IPv6.isValid(text) || text.includes('%')) return false;
  out.set(ipaddr.IPv6.parse(text).toByteArray(), at);
  return true;
}

export function formatEthernet(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

export function formatIpv4(bytes: Uint8Array): string {
  return bytes.join('.');
}

/** RFC 5952 form; IPv4-mapped addresses keep their dotted tail, as ovs-ofctl prints them. */
export function formatIpv6(bytes: Uint8Array): string {
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (mapped) return `::ffff:${formatIpv4(bytes.subarray(12))}`;
  return new ipaddr.IPv6(Array.from(bytes)).toRFC5952String();
}
