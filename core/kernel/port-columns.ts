import type { AgentIdentity, DesiredRecords, PortRecord } from '@patchbay/sdk';

/** The highest VLAN of IEEE 802.1Q that is anybody's. Open vSwitch takes 0 for frames without a tag. */
const LAST_VLAN = 4094;
const VLAN_MODES: readonly unknown[] = ['access', 'trunk', 'native-tagged', 'native-untagged'];
/** The bit of an address's first byte that says it is a group's (IEEE 802). */
const GROUP_BIT = 0x01;

/** A field of a record that cannot be used, and why, for people. */
export interface Misstatement {
  readonly field: string;
  readonly problem: string;
}

/**
 * The first column of a port of the plugin's own that the switch would refuse, or ignore, or that is not the plugin's to state. A VIF's VLAN
 * is its gate's: with a tag of its own the port would be open before its firewall is there.
 */
export function misstatedPort(
  { ports = [] }: DesiredRecords,
  identity: Pick<AgentIdentity, 'integrationBridge'> | undefined,
): Misstatement | undefined {
  for (const [index, port] of ports.entries()) {
    if (port.kind !== 'patch' && port.kind !== 'internal') continue;
    const found = gateField(port, identity) ?? wrongValue(port);
    if (found === undefined) continue;
    const { field, problem } = found;
    return { field: `ports[${index}].${field} of port ${port.name} on ${port.bridge}`, problem };
  }
  return undefined;
}

type OwnPort = Extract<PortRecord, { readonly kind: 'patch' | 'internal' }>;

function gateField(
  port: OwnPort,
  identity: Pick<AgentIdentity, 'integrationBridge'> | undefined,
): Misstatement | undefined {
  if (port.bridge !== identity?.integrationBridge || port.externalIds?.['iface-id'] === undefined) return undefined;
  const field = (['tag', 'vlanMode', 'trunks'] as const).find((name) => port[name] !== undefined);
  if (field === undefined) return undefined;
  return {
    field,
    problem: 'the port has an iface-id, so that it is a VIF, and the VLAN of a VIF is its gate’s; state a gate',
  };
}

function wrongValue(port: OwnPort): Misstatement | undefined {
  const { tag, vlanMode, trunks } = port;
  if (tag !== undefined && !isVlan(tag)) return { field: 'tag', problem: notVlan(tag) };
  if (vlanMode !== undefined && !VLAN_MODES.includes(vlanMode)) {
    return { field: 'vlanMode', problem: `${JSON.stringify(vlanMode)} is none of ${VLAN_MODES.join(', ')}` };
  }
  return wrongTrunk(trunks) ?? (port.kind === 'internal' ? wrongAddress(port.mac) : undefined);
}

function wrongTrunk(trunks: OwnPort['trunks']): Misstatement | undefined {
  if (trunks === undefined) return undefined;
  if (!Array.isArray(trunks)) return { field: 'trunks', problem: `${JSON.stringify(trunks)} is no list of VLANs` };
  const index = trunks.findIndex((trunk) => !isVlan(trunk));
  return index < 0 ? undefined : { field: `trunks[${index}]`, problem: notVlan(trunks[index]) };
}

function wrongAddress(mac: unknown): Misstatement | undefined {
  if (mac === undefined) return undefined;
  if (typeof mac !== 'string' || !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) {
    const problem = `${JSON.stringify(mac)} is no MAC address: six pairs of hexadecimal digits with colons between, such as 52:54:00:12:34:56`;
    return { field: 'mac', problem };
  }
  const isGroup = (Number.parseInt(mac.slice(0, 2), 16) & GROUP_BIT) !== 0;
  if (!isGroup && /[1-9a-f]/i.test(mac)) return undefined;
  return { field: 'mac', problem: `${mac} is not the address of one station, and Open vSwitch would ignore it` };
}

function isVlan(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= LAST_VLAN;
}

function notVlan(value: unknown): string {
  return `${JSON.stringify(value)} is no whole number from 0 to ${LAST_VLAN}`;
}
