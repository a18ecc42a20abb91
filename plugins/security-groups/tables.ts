import { IntegrationTable, type Subfield } from '@patchbay/sdk';

/** The firewall's tables of the integration bridge, by the numbers of Neutron's agent. */
export const FirewallTable = {
  /** The hub. Frames of a guarded port leave it for `baseEgress`, frames to one for `baseIngress`. */
  transient: IntegrationTable.transient,
  /** Whether the port may send this at all: addresses, ARP, neighbour discovery, DHCP. */
  baseEgress: 71,
  /** Whether a rule of the port's groups lets it out. */
  rulesEgress: 72,
  /** Let out: to a port of this host by way of its own rules, or off. */
  acceptOrIngress: 73,
  baseIngress: 81,
  rulesIngress: 82,
  /** What was let out and in for the first time, and what was dropped: places for whoever logs. */
  acceptedEgress: 91,
  acceptedIngress: 92,
  dropped: 93,
  /** The way out: NORMAL, or direct output. */
  acceptedEgressNormal: 94,
} as const;

/** The OpenFlow number of the port that the frame comes from or goes to. */
export const PORT_REGISTER = 'reg5';
/** The local VLAN, which is the conntrack zone too. */
export const NETWORK_REGISTER = 'reg6';
/** The conjunction that let the packet through, for whoever logs. */
export const CONJUNCTION_REGISTER = 'reg7';
export const ZONE: Subfield = { field: NETWORK_REGISTER, from: 0, to: 15 };
/** The mark of a connection that no rule allows any more. */
export const CUT_MARK = 1;
