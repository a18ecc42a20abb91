import type { BridgeView } from '@patchbay/sdk';

/** Where Neutron's agent counts bridges up in a datapath id: above the 48 bits that come from a MAC address (OpenFlow 1.3, 7.3.1). */
const COUNT_SHIFT = 48n;

/**
 * Datapath ids to set, by bridge: for those whose id an earlier bridge of the list has too, and for those that have one set already,
 * so that what an earlier run set stays. Ids are 16 hexadecimal digits.
 */
export function distinctDatapathIds(
  bridges: readonly Pick<BridgeView, 'name' | 'datapathId' | 'otherConfig'>[],
): ReadonlyMap<string, string> {
  const seen = new Set<string>();
  const wanted = new Map<string, string>();
  for (const { name, datapathId, otherConfig } of bridges) {
    if (datapathId === null) continue;
    const configured = otherConfig['datapath-id'];
    if (configured !== undefined) wanted.set(name, configured);
    let id = BigInt(`0x${datapathId.replace(/^0x/, '')}`);
    if (seen.has(hexadecimal(id))) {
      id += BigInt(seen.size) << COUNT_SHIFT;
      wanted.set(name, hexadecimal(id));
    }
    seen.add(hexadecimal(id));
  }
  return wanted;
}

const hexadecimal = (id: bigint): string => BigInt.asUintN(64, id).toString(16).padStart(16, '0');
