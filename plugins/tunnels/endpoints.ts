import type { PortView, TunnelEndpoint, TunnelType } from '@patchbay/sdk';
import { canonicalAddress, interfaceType, isIpv6, tunnelPortName } from './addresses';

/** Interface:type → what its tunnels are to Neutron. */
const TUNNEL_TYPE_OF: Readonly<Record<string, TunnelType>> = {
  vxlan: 'vxlan',
  geneve: 'geneve',
  gre: 'gre',
  ip6gre: 'gre',
};

/** An endpoint of another host, under the name of the port that leads there. */
export interface KnownEndpoint {
  readonly endpoint: TunnelEndpoint;
  readonly portName: string;
}

/** Why no tunnel leads to an endpoint: it is this host's own, the operator wants none of its type, or its address cannot be reached from here. */
export type Exclusion =
  | { readonly kind: 'this host' }
  | { readonly kind: 'not wanted' | 'unreachable'; readonly why: string };

/** The endpoints of other hosts, by type and address. */
export class Endpoints {
  private readonly known = new Map<string, KnownEndpoint>();
  /** Names of the tunnel ports that were there before us, by interface type and remote address. */
  private readonly names = new Map<string, string>();

  constructor(
    private readonly tunnelTypes: readonly TunnelType[],
    private readonly localAddress: string,
  ) {}

  /**
   * Notes the tunnel ports that are there and answers where they lead. They keep their names (another agent may have hashed the address
   * otherwise) and count as endpoints until the control plane has named all of them: a restart while it is away cuts nobody off.
   */
  found(ports: readonly PortView[]): readonly TunnelEndpoint[] {
    return ports.flatMap((port) =>
      port.interfaces.flatMap(({ type, options }) => {
        const tunnelType = TUNNEL_TYPE_OF[type];
        const remote = canonicalAddress(options.remote_ip ?? '');
        if (tunnelType === undefined || remote === undefined) return [];
        this.names.set(`${type} ${remote}`, port.name);
        return [{ tunnelType, ipAddress: options.remote_ip ?? '' }];
      }),
    );
  }

  /** Whether a tunnel led there before us. */
  wasFound({ tunnelType, ipAddress }: TunnelEndpoint): boolean {
    return this.names.has(`${interfaceType(tunnelType, ipAddress)} ${canonicalAddress(ipAddress) ?? ipAddress}`);
  }

  /** Why no tunnel leads there. Undefined where one does. */
  exclusion({ tunnelType, ipAddress }: TunnelEndpoint): Exclusion | undefined {
    const address = canonicalAddress(ipAddress);
    if (address === undefined) return { kind: 'unreachable', why: `"${ipAddress}" is no address` };
    if (address === canonicalAddress(this.localAddress)) return { kind: 'this host' };
    if (!this.tunnelTypes.includes(tunnelType)) {
      return { kind: 'not wanted', why: `tunnel_types of this host do not name ${tunnelType}` };
    }
    if (isIpv6(address) !== isIpv6(this.localAddress)) {
      return { kind: 'unreachable', why: `it is of another IP version than local_ip ${this.localAddress}` };
    }
    return undefined;
  }

  /** Undefined if it is known already. */
  add(endpoint: TunnelEndpoint): KnownEndpoint | undefined {
    const key = endpointKey(endpoint);
    if (this.known.has(key)) return undefined;
    const address = canonicalAddress(endpoint.ipAddress) ?? endpoint.ipAddress;
    const type = interfaceType(endpoint.tunnelType, endpoint.ipAddress);
    const portName = this.names.get(`${type} ${address}`) ?? tunnelPortName(endpoint);
    const known = { endpoint, portName };
    this.known.set(key, known);
    return known;
  }

  remove(endpoint: TunnelEndpoint): KnownEndpoint | undefined {
    const key = endpointKey(endpoint);
    const known = this.known.get(key);
    this.known.delete(key);
    return known;
  }

  find(endpoint: TunnelEndpoint): KnownEndpoint | undefined {
    return this.byKey(endpointKey(endpoint));
  }

  byKey(key: string): KnownEndpoint | undefined {
    return this.known.get(key);
  }

  of(tunnelType: TunnelType): readonly KnownEndpoint[] {
    return [...this.known.values()].filter(({ endpoint }) => endpoint.tunnelType === tunnelType);
  }
}

/** The key of an endpoint's records. */
export function endpointKey({ tunnelType, ipAddress }: TunnelEndpoint): string {
  return `endpoint/${tunnelType}/${canonicalAddress(ipAddress) ?? ipAddress}`;
}
