import type { TrackedConnection } from '@patchbay/sdk';

/** Protocols that `dpctl/dump-conntrack` names; it prints the others by number. */
const PROTOCOLS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
};

/** Reads what `dpctl/dump-conntrack` prints, one connection a line. A line that makes no sense is passed over. */
export function parseConnections(text: string): TrackedConnection[] {
  return text.split('\n').flatMap((line) => parseConnection(line) ?? []);
}

function parseConnection(line: string): TrackedConnection | undefined {
  const found = /^\s*([\w-]+),orig=\(([^)]*)\)(.*)$/.exec(line);
  if (found === null) return undefined;
  const [, name = '', original = '', rest = ''] = found;
  const fields = new Map(
    original.split(',').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
  );
  const source = fields.get('src');
  const destination = fields.get('dst');
  const protocol = PROTOCOLS[name] ?? (/^\d+$/.test(name) ? Number(name) : undefined);
  if (source === undefined || destination === undefined || protocol === undefined) return undefined;
  const sourcePort = numberOf(fields.get('sport'));
  const destinationPort = numberOf(fields.get('dport'));
  return {
    ethertype: source.includes(':') ? 'IPv6' : 'IPv4',
    protocol,
    source,
    destination,
    ...(sourcePort === undefined ? {} : { sourcePort }),
    ...(destinationPort === undefined ? {} : { destinationPort }),
    mark: numberOf(/\bmark=(0x[0-9a-f]+|\d+)/.exec(rest)?.[1]) ?? 0,
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
