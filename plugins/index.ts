import type { PluginClass } from '@patchbay/sdk';
import { AntiSpoofing } from './anti-spoofing/plugin';
import { ArpResponder } from './arp-responder/plugin';
import { BridgeMappings } from './bridge-mappings/plugin';
import { Heartbeat } from './heartbeat/plugin';
import { IntegrationBridge } from './integration-bridge/plugin';
import { L2Population } from './l2-population/plugin';
import { LocalVlan } from './local-vlan/plugin';
import { Neutron } from './neutron/plugin';
import { PortBinding } from './port-binding/plugin';
import { SecurityGroups } from './security-groups/plugin';
import { Standalone } from './standalone/plugin';
import { Tunnels } from './tunnels/plugin';

export { OBJECT_VERSIONS } from './neutron/objects';

/** The stock plugins by id: what a plugin list may name without saying where from. */
export const STOCK: Readonly<Record<string, PluginClass>> = {
  // The control plane: one of these knows the networks.
  neutron: Neutron,
  standalone: Standalone,

  // The ports and segments of this host.
  'port-binding': PortBinding,
  'local-vlan': LocalVlan,

  // The switch.
  'integration-bridge': IntegrationBridge,
  'bridge-mappings': BridgeMappings,
  tunnels: Tunnels,
  'l2-population': L2Population,
  'arp-responder': ArpResponder,
  'anti-spoofing': AntiSpoofing,
  'security-groups': SecurityGroups,

  // The agent itself.
  heartbeat: Heartbeat,
};
