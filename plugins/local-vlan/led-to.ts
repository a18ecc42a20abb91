import { type Action, type AgentIdentity, IntegrationTable, type SwitchView, TunnelTable } from '@patchbay/sdk';

/** Where tunnel keys become VLANs. */
const FROM_TUNNELS = [TunnelTable.fromGre, TunnelTable.fromVxlan, TunnelTable.fromGeneve];
/** Of the integration bridge's classifier, where VLANs of provider networks become its own (Neutron's priority, and ours). */
const TRANSLATION_PRIORITY = 3;
/** OFPVID_PRESENT and VLAN id of the OpenFlow field (OpenFlow 1.3, 7.2.3.7). */
const VLAN_ID = 0xfff;

/** VLANs of the integration bridge into which installed flows lead frames from outside, whoever wrote the flows. */
export async function vlansLedTo(
  switchView: Pick<SwitchView, 'flows'>,
  { integrationBridge, tunnelBridge }: Pick<AgentIdentity, 'integrationBridge' | 'tunnelBridge'>,
): Promise<ReadonlySet<number>> {
  const translations = await Promise.all([
    switchView.flows(tunnelBridge, FROM_TUNNELS),
    switchView.flows(integrationBridge, [IntegrationTable.classifier], [TRANSLATION_PRIORITY, TRANSLATION_PRIORITY]),
  ]);
  return new Set(translations.flat().flatMap(({ actions }) => actions.flatMap(vlanSetBy)));
}

function vlanSetBy(action: Action): readonly number[] {
  if (action.type === 'mod_vlan_vid') return [action.vlan];
  const isVlan = action.type === 'set_field' && action.field === 'vlan_vid' && typeof action.value !== 'object';
  return isVlan ? [Number(action.value) & VLAN_ID] : [];
}
