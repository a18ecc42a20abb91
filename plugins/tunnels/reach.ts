import type { ForwardingChange, RemotePorts, TunnelEndpoint, TunnelType } from '@patchbay/sdk';
import { endpointKey } from './endpoints';

interface Use {
  readonly endpoint: TunnelEndpoint;
  readonly networks: Set<string>;
}

/** Where forwarding entries lead, once somebody tells them; before that every endpoint is flooded to. */
export class Reach {
  mode: 'every endpoint' | 'by entries' = 'every endpoint';
  knowledge: ForwardingChange['knowledge'] = 'partial';
  private readonly remotes = new Map<string, Map<string, RemotePorts>>();
  private readonly bound = new Map<string, number>();
  private readonly uses = new Map<string, Use>();

  /** Networks whose entries are others now. */
  take({ remotes, knowledge }: ForwardingChange): ReadonlySet<string> {
    this.mode = 'by entries';
    if (knowledge === 'complete') this.knowledge = 'complete';
    for (const remote of remotes) this.replace(remote);
    return new Set(remotes.map(({ networkId }) => networkId));
  }

  bind(networkId: string): void {
    const held = this.bound.get(networkId) ?? 0;
    this.bound.set(networkId, held + 1);
    if (held > 0) return;
    for (const { endpoint } of this.of(networkId)) this.use(endpoint, networkId);
  }

  release(networkId: string): void {
    const held = (this.bound.get(networkId) ?? 0) - 1;
    if (held > 0) {
      this.bound.set(networkId, held);
      return;
    }
    this.bound.delete(networkId);
    for (const { endpoint } of this.of(networkId)) this.leave(endpoint, networkId);
  }

  /** Whether a segment that is bound here has ports there. */
  isUsed(endpoint: TunnelEndpoint): boolean {
    return this.uses.has(endpointKey(endpoint));
  }

  endpointsOf(networkId: string): readonly TunnelEndpoint[] {
    return this.of(networkId).map(({ endpoint }) => endpoint);
  }

  flooded(networkId: string, tunnelType: TunnelType): readonly TunnelEndpoint[] {
    return this.of(networkId).flatMap(({ endpoint, delivery }) =>
      delivery === 'flooded' && endpoint.tunnelType === tunnelType ? [endpoint] : [],
    );
  }

  private of(networkId: string): readonly RemotePorts[] {
    return [...(this.remotes.get(networkId)?.values() ?? [])];
  }

  private replace(remote: RemotePorts): void {
    const { networkId, endpoint } = remote;
    const ofNetwork = this.remotes.get(networkId) ?? new Map<string, RemotePorts>();
    if (remote.delivery === 'flooded' || remote.addresses.length > 0) {
      ofNetwork.set(endpointKey(endpoint), remote);
      this.remotes.set(networkId, ofNetwork);
      if (this.bound.has(networkId)) this.use(endpoint, networkId);
      return;
    }
    ofNetwork.delete(endpointKey(endpoint));
    if (ofNetwork.size === 0) this.remotes.delete(networkId);
    this.leave(endpoint, networkId);
  }

  private use(endpoint: TunnelEndpoint, networkId: string): void {
    const key = endpointKey(endpoint);
    const use = this.uses.get(key) ?? { endpoint, networks: new Set() };
    use.networks.add(networkId);
    this.uses.set(key, use);
  }

  private leave(endpoint: TunnelEndpoint, networkId: string): void {
    const use = this.uses.get(endpointKey(endpoint));
    if (use === undefined || !use.networks.delete(networkId) || use.networks.size > 0) return;
    this.uses.delete(endpointKey(endpoint));
  }
}
