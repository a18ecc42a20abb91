/**
 * Tables of the pipelines, by bridge. The numbers are those of Neutron's agent: operators know them, tools print them, and a
 * running host is taken over and given back table by table.
 */

/** Tables of the integration bridge (br-int). */
export const IntegrationTable = {
  /** Classifies what comes in: by port, by VLAN. Whatever it does not admit is dropped here. */
  LOCAL_SWITCHING: 0,
  /** Distributed routing, tunnelled networks. */
  DVR_TO_SRC_MAC: 1,
  /** Distributed routing, flat and VLAN networks. */
  DVR_TO_SRC_MAC_PHYSICAL: 2,
  /** Distributed routing: ARP replies, tunnelled networks. */
  ARP_DVR_MAC_TO_DST_MAC: 3,
  /** Distributed routing: ARP replies, flat and VLAN networks. */
  ARP_DVR_MAC_TO_DST_MAC_PHYSICAL: 4,
  /** Holds one drop flow: its absence shows that the switch lost its flows. */
  CANARY: 23,
  /** Checks sender addresses of ARP and neighbour discovery where the firewall does not. */
  ARP_SPOOF: 24,
  /** Checks source MAC addresses where the firewall does not. */
  MAC_SPOOF: 25,
  /** Local IP: traffic of ports towards it. */
  LOCAL_EGRESS: 30,
  /** Local IP: translation. */
  LOCAL_IP: 31,
  /** Meters that count packets. */
  PACKET_RATE_LIMIT: 58,
  /** Meters that count bits. */
  BANDWIDTH_RATE_LIMIT: 59,
  /** Hub: firewall, DHCP responder, or plain switching. */
  TRANSIENT: 60,
  /** Direct output to a port of this host, without MAC learning. */
  LOCAL_MAC_DIRECT: 61,
  /** Direct output to the patch ports, without MAC learning. */
  TRANSIENT_EGRESS: 62,
  /** Firewall: what a port may always send, and its anti-spoofing. */
  BASE_EGRESS: 71,
  /** Firewall: security group rules for what a port sends. */
  RULES_EGRESS: 72,
  /** Firewall: accepted egress, which may be ingress of a port beside it. */
  ACCEPT_OR_INGRESS: 73,
  /** DHCP responder, IPv4. */
  DHCP_IPV4: 77,
  /** DHCP responder, IPv6. */
  DHCP_IPV6: 78,
  /** Firewall: what a port may always receive. */
  BASE_INGRESS: 81,
  /** Firewall: security group rules for what a port receives. */
  RULES_INGRESS: 82,
  /** Egress traffic that was accepted, for those who look on. */
  ACCEPTED_EGRESS_TRAFFIC: 91,
  /** Ingress traffic that was accepted, for those who look on. */
  ACCEPTED_INGRESS_TRAFFIC: 92,
  /** Traffic that was dropped, for those who look on. */
  DROPPED_TRAFFIC: 93,
  /** The last step of accepted egress traffic. */
  ACCEPTED_EGRESS_TRAFFIC_NORMAL: 94,
} as const;

/** Tables of the tunnel bridge (br-tun). */
export const TunnelTable = {
  /** Classifies by the port a frame came from. */
  LOCAL_SWITCHING: 0,
  /** Distributed routing: what leaves for the tunnels. */
  DVR_PROCESS: 1,
  /** From br-int: unicast or flooding. */
  PATCH_LV_TO_TUN: 2,
  /** From a GRE tunnel: tunnel key to local VLAN. */
  GRE_TUN_TO_LV: 3,
  /** From a VXLAN tunnel: network identifier to local VLAN. */
  VXLAN_TUN_TO_LV: 4,
  /** From a Geneve tunnel: network identifier to local VLAN. */
  GENEVE_TUN_TO_LV: 6,
  /** Distributed routing: sources that must not be learned. */
  DVR_NOT_LEARN: 9,
  /** Learns which tunnel a MAC address is behind, and hands on to br-int. */
  LEARN_FROM_TUN: 10,
  /** Known unicast addresses: learned ones, and those of l2population. */
  UCAST_TO_TUN: 20,
  /** Answers ARP for addresses that l2population told of. */
  ARP_RESPONDER: 21,
  /** Floods to the tunnels of a segment. */
  FLOOD_TO_TUN: 22,
} as const;

/** Tables of a provider bridge. */
export const ProviderTable = {
  /** Swaps local VLANs for the provider's; everything else is switched as the operator had it. */
  LOCAL_SWITCHING: 0,
  /** Distributed routing: what leaves the host. */
  DVR_PROCESS_PHYSICAL: 1,
  /** VLAN translation under distributed routing. */
  LOCAL_VLAN_TRANSLATION: 2,
  /** Distributed routing: sources that must not be learned. */
  DVR_NOT_LEARN_PHYSICAL: 3,
} as const;

/** Registers of the integration bridge's pipeline, by what they carry. */
export const Register = {
  /** 1 once DSCP marking was done. */
  DSCP_MARKED: 'reg2',
  /** Bit 0 is set once the ingress queue was chosen. */
  QUEUE_CHOSEN: 'reg3',
  /** Bit 0 is set once the minimum-bandwidth mark was set. */
  MINIMUM_BANDWIDTH_MARKED: 'reg4',
  /** OpenFlow number of the port that the firewall deals with. */
  PORT: 'reg5',
  /** Local VLAN of the network. */
  NETWORK: 'reg6',
  /** Conjunction id of remote-group rules. */
  REMOTE_GROUP: 'reg7',
} as const;

/**
 * The cookie of flows that the switch makes for itself by a `learn` action: state it in the action. No plan touches flows
 * under it; they expire, or their plugin forgets them. ("Patc" and a zero hash, which no plugin's id has.)
 */
export const LEARNED_COOKIE = 0x5061746300000000n;
