import ipaddr from 'ipaddr.js';
import type { InterfaceRow, TextMap } from './rows';

/** UDP and TCP ports of OVS's tunnels where `dst_port` is not given (ovs-vswitchd.conf.db(5)). Other types have none. */
const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  geneve: '6081',
  gtpu: '2152',
  lisp: '4341',
  stt: '7471',
  vxlan: '4789',
};

/** Types whose packets have no Ethernet header, whatever `packet_type` says. */
const LAYER_3: readonly string[] = ['gtpu', 'lisp'];

/**
 * What the switch tells tunnels apart by: of two with the same text it makes only one. That is what it looks for the tunnel of a packet
 * by: type and port, both addresses, the key of what comes in, and the kind of packets (`struct tnl_match` in OVS's ofproto/tunnel.c).
 * The key of what goes out is not part of it.
 */
export function tunnelIdentity(type: string, options: TextMap): string {
  const { remote_ip, local_ip, dst_port, packet_type = 'legacy_l2' } = options;
  return JSON.stringify([
    type,
    address(remote_ip),
    address(local_ip),
    number(dst_port ?? DEFAULT_PORTS[type]),
    // Without any, OVS takes key 0.
    number(options.in_key ?? options.key ?? '0'),
    LAYER_3.includes(type) ? 'legacy_l3' : packet_type,
  ]);
}

const known = new WeakMap<InterfaceRow, string>();

/** The identity of a tunnel that is there. Rows are never changed in place, and every key of a mesh asks for all of them: each is worked out once. */
export function identityOf(row: InterfaceRow): string {
  let identity = known.get(row);
  if (identity === undefined) {
    identity = tunnelIdentity(row.type, row.options);
    known.set(row, identity);
  }
  return identity;
}

/** One text for one address; what is none, such as `flow`, is compared as it is. */
function address(text: string | undefined): string | undefined {
  return text !== undefined && ipaddr.isValid(text) ? ipaddr.parse(text).toString() : text;
}

/** One text for one number, which OVS reads in C's notations; what is none, such as `flow`, is compared as it is. */
function number(text: string | undefined): string | undefined {
  const octal = text?.replace(/^0(?=[0-7]+$)/, '0o');
  return octal !== undefined && /^0[xo][0-9a-f]+$|^\d+$/i.test(octal) ? String(BigInt(octal)) : text;
}
