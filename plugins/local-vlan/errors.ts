import { defineErrors } from '@patchbay/sdk';

export const LocalVlanErrors = defineErrors({
  poolExhausted: {
    code: 'PB-LOCAL-VLAN-1',
    class: 'transient',
    template:
      'no VLAN from {first} to {last} is left for network {network}: {given} are given to segments, and ports of the integration bridge carry, or flows lead to, {taken} more; a narrow first/last is the likely cause',
  },
});
