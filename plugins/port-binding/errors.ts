import { defineErrors } from '@patchbay/sdk';

export const PortBindingErrors = defineErrors({
  noLocalVlan: {
    code: 'PB-PORT-BINDING-1',
    class: 'transient',
    template:
      'no plugin gave a local VLAN for network {network}: the pool is used up, or no plugin on the list answers resolveLocalVlan',
  },
  requiredTapFailed: {
    code: 'PB-PORT-BINDING-2',
    class: 'transient',
    template: 'port {port} stays shut: {plugin}, which the operator requires, failed: {reason}',
  },
  localVlanTaken: {
    code: 'PB-PORT-BINDING-4',
    class: 'transient',
    template:
      'local VLAN {vlan} was given for segment {segment}, and segment {holder} holds it: the plugin that answers resolveLocalVlan would let two networks into one',
  },
  undescribable: {
    code: 'PB-PORT-BINDING-3',
    class: 'transient',
    template: 'port {port} is left as it is: {reason}',
  },
});
