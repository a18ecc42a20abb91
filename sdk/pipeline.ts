import type { Match, Register, Subfield } from './flow';
import type { PortView } from './switch-services';

/**
 * The tables of the agent's bridges, by the numbers that Neutron's agent gives them: operators and tools know them, and a host is
 * taken over, and given back, without a packet lost.
 */

/** Tables of the integration bridge. */
export const IntegrationTable = {
  /** Where every frame enters. Only admitted ports are led on. */
  classifier: 0,
  /** Holds one flow that says the tables were not emptied behind our back. */
  canary: 23,
  arpSpoofing: 24,
  macSpoofing: 25,
  localEgress: 30,
  localIp: 31,
  /** Where admitted frames are led: packet rate limits of current agents. */
  packetRateLimit: 58,
  /** Bandwidth limits of current agents, packet rate limits of Neutron 21 (Zed). */
  bandwidthRateLimit: 59,
  /** The hub: firewall, DHCP, or NORMAL. */
  transient: 60,
  /** Local delivery by MAC address, with explicitly_egress_direct. */
  localMacDirect: 61,
  /** Frames that leave the host, with explicitly_egress_direct. */
  transientEgress: 62,
} as const;

/** Tables of the tunnel bridge. */
export const TunnelTable = {
  classifier: 0,
  fromIntegration: 2,
  fromGre: 3,
  fromVxlan: 4,
  fromGeneve: 6,
  learn: 10,
  unicast: 20,
  arpResponder: 21,
  flood: 22,
} as const;

/** Tables of a provider bridge. */
export const ProviderTable = { classifier: 0 } as const;

/** What the integration bridge and the tunnel bridge speak, as Neutron's agent sets Bridge:protocols. */
export const BRIDGE_PROTOCOLS: readonly string[] = ['OpenFlow10', 'OpenFlow13', 'OpenFlow14'];

/**
 * The cookie of flows that a bridge learned by itself (a `learn` action names it). They are the switch's own: no plan adds, changes
 * or sweeps them; `Effects.deleteLearned` removes them. Its upper half, "Patc" in ASCII, is that of every cookie of the agent's; the
 * lower half is no plugin's.
 */
export const LEARNED_COOKIE = 0x50617463_00000000n;

/** The first register whose bits `Service.numbers` gives out. None of Neutron's pipeline, nor of the stock plugins, uses it or those above it. */
const FIRST_SHARED_REGISTER = 10;

/** One bit that a plugin marks packets with, as actions and matches name it. */
export interface RegisterBit {
  readonly bit: Subfield;
  readonly isSet: Match;
  readonly isClear: Match;
}

/** The bit that a number of the kind `register-bit` stands for: 0 to 191 are the bits of reg10 to reg15. */
export function registerBit(number: number): RegisterBit {
  const register = `reg${FIRST_SHARED_REGISTER + Math.floor(number / 32)}` as Register;
  const at = number % 32;
  const mask = 2 ** at;
  return {
    bit: { field: register, from: at, to: at },
    isSet: { [register]: { value: mask, mask } },
    isClear: { [register]: { value: 0, mask } },
  };
}

/** The external_ids key under which a port that the agent made or adopted names its plugin. */
export const OWNER_MARK = 'patchbay-owner';

/**
 * The external_ids key of a port of the integration bridge that leads out of the host, stated by the plugin that makes the port.
 * Its value is the physical network's name, or UPLINK_TO_TUNNELS.
 */
export const UPLINK_MARK = 'patchbay-uplink';
export const UPLINK_TO_TUNNELS = '(tunnels)';

/** Where a port leads out of the host: a physical network's name, UPLINK_TO_TUNNELS, or undefined where it does not. */
export function uplinkOf(port: PortView): string | undefined {
  return [port, ...port.interfaces].map((row) => row.externalIds[UPLINK_MARK]).find((mark) => mark !== undefined);
}

/** A bridge of a physical network, and the patch pair that joins it to the integration bridge. */
export interface ProviderBridge {
  readonly physicalNetwork: string;
  readonly bridge: string;
  /** The port of the integration bridge that leads to the provider bridge. */
  readonly integrationPort: string;
  /** The port of the provider bridge that leads to the integration bridge. */
  readonly providerPort: string;
}

/**
 * The provider bridges of this host, as `await switchView.ports()` shows them, by physical network: what `bridge_mappings`, `br_phys` and
 * `phys_ofports` gave Neutron's extensions. It goes by UPLINK_MARK and by how the patch ports are joined, so it holds for any plugin that
 * maps bridges, whatever it calls its ports. A pair of which an end is missing yet is left out: ask again when `switchView.watch` tells of
 * a port.
 */
export function providerBridges(ports: readonly PortView[]): readonly ProviderBridge[] {
  const byName = new Map(ports.map((port) => [port.name, port]));
  return ports
    .flatMap((port) => {
      const physicalNetwork = uplinkOf(port);
      if (physicalNetwork === undefined || physicalNetwork === UPLINK_TO_TUNNELS) return [];
      // Of a pair that is being made, one end may be joined before the other.
      const peer = byName.get(peerOf(port) ?? '') ?? ports.find((other) => peerOf(other) === port.name);
      if (peer === undefined || peer.bridge === port.bridge) return [];
      return [{ physicalNetwork, bridge: peer.bridge, integrationPort: port.name, providerPort: peer.name }];
    })
    .sort((left, right) => (left.physicalNetwork < right.physicalNetwork ? -1 : 1));
}

function peerOf({ interfaces }: PortView): string | undefined {
  return interfaces.find(({ type }) => type === 'patch')?.options.peer;
}
