import type { BridgeView, PortView, Vif } from '@patchbay/sdk';

/**
 * The VIF behind a switch port, or undefined. A VIF names the control plane's port in its interface's external_ids, as os-vif and
 * the DHCP and L3 agents write them: `iface-id` and `attached-mac`.
 */
export function vifOf(port: PortView): Vif | undefined {
  for (const face of port.interfaces) {
    const portId = face.externalIds['iface-id'];
    const macAddress = face.externalIds['attached-mac'];
    if (portId && macAddress) {
      return {
        portId,
        bridge: port.bridge,
        portName: port.name,
        portRow: port.uuid,
        macAddress: macAddress.toLowerCase(),
        ofport: face.ofport,
        externalIds: face.externalIds,
      };
    }
  }
  return undefined;
}

/**
 * Whether a bridge is ancillary: an external bridge whose ports are reported but not wired. Neutron knows it by
 * `external_ids:bridge-id` naming the bridge itself.
 */
export function isAncillary(bridge: BridgeView): boolean {
  return bridge.externalIds['bridge-id'] === bridge.name;
}

/** What an earlier run, or the reference agent, left on the port: the VLAN it was wired into. Undefined if it never was. */
export function formerVlan(port: PortView): number | undefined {
  if (port.tag === null || port.tag < 1 || port.tag > 4094) return undefined;
  return port.otherConfig.net_uuid === undefined ? undefined : port.tag;
}
