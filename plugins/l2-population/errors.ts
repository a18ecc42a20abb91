import { defineErrors } from '@patchbay/sdk';

export const L2PopulationErrors = defineErrors({
  badEntries: {
    code: 'PB-L2-POPULATION-1',
    class: 'refused',
    template:
      'forwarding entries of {network} have no usable {field}: is the server of another release, or does something else send on its topic?',
  },
  notAnswered: {
    code: 'PB-L2-POPULATION-2',
    class: 'transient',
    template:
      'the server was asked for all forwarding entries and they are not known to have come ({reason}); what is installed stays, and it is asked again',
  },
});
