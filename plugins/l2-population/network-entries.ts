import type { RemoteAddress, RemotePorts, TunnelType } from '@patchbay/sdk';
import type { HostEntries } from './entries';

interface Seen<T> {
  readonly what: T;
  /** When it was named last, on the plugin's own count of messages. */
  seen: number;
}

interface Remote {
  /** When flooding to it was named last; undefined: it is not flooded to. */
  floodedSeen: number | undefined;
  readonly addresses: Map<string, Seen<RemoteAddress>>;
}

/** What entries say of one network. Methods that change it answer which endpoints have other entries now. */
export class NetworkForwarding {
  private readonly remotes = new Map<string, Remote>();
  /** MAC → endpoint. A MAC that comes up elsewhere has moved: the newer entry counts. */
  private readonly placeOf = new Map<string, string>();

  constructor(
    private readonly networkId: string,
    readonly tunnelType: TunnelType,
  ) {}

  add({ ipAddress, names, addresses }: HostEntries, now: number): ReadonlySet<string> {
    const changed = new Set<string>();
    const remote = this.remotes.get(ipAddress) ?? { floodedSeen: undefined, addresses: new Map() };
    this.remotes.set(ipAddress, remote);
    if (names === 'flooding') {
      if (remote.floodedSeen === undefined) changed.add(ipAddress);
      remote.floodedSeen = now;
    }
    for (const address of addresses) {
      const former = this.placeOf.get(address.macAddress);
      if (former !== undefined && former !== ipAddress) {
        this.removeMac(former, address.macAddress);
        changed.add(former);
      }
      this.placeOf.set(address.macAddress, ipAddress);
      const known = remote.addresses.get(keyOf(address));
      if (known !== undefined) known.seen = now;
      else {
        remote.addresses.set(keyOf(address), { what: address, seen: now });
        changed.add(ipAddress);
      }
    }
    this.dropIfEmpty(ipAddress);
    return changed;
  }

  remove({ ipAddress, names, addresses }: HostEntries): ReadonlySet<string> {
    const remote = this.remotes.get(ipAddress);
    if (remote === undefined) return new Set();
    let isChanged = names === 'flooding' && remote.floodedSeen !== undefined;
    if (names === 'flooding') remote.floodedSeen = undefined;
    for (const address of addresses) isChanged = this.removeAddress(remote, ipAddress, address) || isChanged;
    this.dropIfEmpty(ipAddress);
    return new Set(isChanged ? [ipAddress] : []);
  }

  /** Removes what was not named since. */
  keepSince(since: number): ReadonlySet<string> {
    const changed = new Set<string>();
    for (const [ipAddress, remote] of this.remotes) {
      if (remote.floodedSeen !== undefined && remote.floodedSeen < since) {
        remote.floodedSeen = undefined;
        changed.add(ipAddress);
      }
      for (const { what, seen } of [...remote.addresses.values()]) {
        if (seen < since && this.removeAddress(remote, ipAddress, what)) changed.add(ipAddress);
      }
      this.dropIfEmpty(ipAddress);
    }
    return changed;
  }

  endpoints(): readonly string[] {
    return [...this.remotes.keys()];
  }

  remotePorts(ipAddress: string): RemotePorts {
    const remote = this.remotes.get(ipAddress);
    return {
      networkId: this.networkId,
      endpoint: { tunnelType: this.tunnelType, ipAddress },
      delivery: remote?.floodedSeen === undefined ? 'unicast only' : 'flooded',
      addresses: [...(remote?.addresses.values() ?? [])].map(({ what }) => what),
    };
  }

  private removeMac(ipAddress: string, macAddress: string): void {
    const remote = this.remotes.get(ipAddress);
    if (remote === undefined) return;
    for (const { what } of [...remote.addresses.values()]) {
      if (what.macAddress === macAddress) remote.addresses.delete(keyOf(what));
    }
    this.dropIfEmpty(ipAddress);
  }

  private removeAddress(remote: Remote, ipAddress: string, address: RemoteAddress): boolean {
    if (!remote.addresses.delete(keyOf(address))) return false;
    const { macAddress } = address;
    const hasAnother = [...remote.addresses.values()].some(({ what }) => what.macAddress === macAddress);
    if (!hasAnother && this.placeOf.get(macAddress) === ipAddress) this.placeOf.delete(macAddress);
    return true;
  }

  private dropIfEmpty(ipAddress: string): void {
    const remote = this.remotes.get(ipAddress);
    if (remote !== undefined && remote.floodedSeen === undefined && remote.addresses.size === 0) {
      this.remotes.delete(ipAddress);
    }
  }
}

const keyOf = ({ macAddress, ipAddress }: RemoteAddress): string => `${macAddress} ${ipAddress}`;
