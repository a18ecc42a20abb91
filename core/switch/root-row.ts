import type { SwitchSummary } from '@patchbay/sdk';
import type { OpenVSwitchRow } from './ovsdb';

/** The one row of the Open_vSwitch table, as far as it is replicated. */
export type RootRow =
  | Pick<OpenVSwitchRow, 'other_config' | 'ovs_version' | 'datapath_types' | 'iface_types'>
  | undefined;

export function summaryOf(root: RootRow, connected: boolean): SwitchSummary {
  return {
    ovsVersion: root?.ovs_version ?? '',
    datapathTypes: root?.datapath_types ?? [],
    interfaceTypes: root?.iface_types ?? [],
    hardwareOffload: root?.other_config.get('hw-offload') === 'true',
    connected,
  };
}

/** `ovs-ctl` sets this while it puts saved flows back, and nobody else may write meanwhile (ovs-vswitchd.conf.db(5)). */
export function isRestoringFlows(root: RootRow): boolean {
  return root?.other_config.get('flow-restore-wait') === 'true';
}
