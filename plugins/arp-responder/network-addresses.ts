import type { RemoteAddress, RemotePorts } from '@patchbay/sdk';

/** The addresses of one network by endpoint. An address that two endpoints have is that of the one that was told last. */
export class NetworkAddresses {
  private readonly byEndpoint = new Map<string, readonly RemoteAddress[]>();
  private readonly placeOf = new Map<string, string>();

  /** Endpoints whose answers are others now. */
  take({ endpoint: { ipAddress: endpoint }, addresses }: RemotePorts): ReadonlySet<string> {
    const changed = new Set([endpoint]);
    const former = this.byEndpoint.get(endpoint) ?? [];
    if (addresses.length === 0) this.byEndpoint.delete(endpoint);
    else this.byEndpoint.set(endpoint, addresses);
    for (const { ipAddress } of former) {
      if (this.placeOf.get(ipAddress) === endpoint) this.placeOf.delete(ipAddress);
    }
    for (const { ipAddress } of addresses) {
      const place = this.placeOf.get(ipAddress);
      if (place !== undefined) changed.add(place);
      this.placeOf.set(ipAddress, endpoint);
    }
    for (const { ipAddress } of former) {
      if (this.placeOf.has(ipAddress)) continue;
      const other = [...this.byEndpoint].find(([, list]) => list.some((address) => address.ipAddress === ipAddress));
      if (other === undefined) continue;
      this.placeOf.set(ipAddress, other[0]);
      changed.add(other[0]);
    }
    return changed;
  }

  at(endpoint: string): readonly RemoteAddress[] {
    const addresses = this.byEndpoint.get(endpoint) ?? [];
    const first = new Map<string, RemoteAddress>();
    for (const address of addresses) {
      if (this.placeOf.get(address.ipAddress) === endpoint) first.set(address.ipAddress, address);
    }
    return [...first.values()];
  }

  endpoints(): readonly string[] {
    return [...this.byEndpoint.keys()];
  }

  isEmpty(): boolean {
    return this.byEndpoint.size === 0;
  }
}
