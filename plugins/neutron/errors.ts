import { defineErrors } from '@patchbay/sdk';

export const NeutronErrors = defineErrors({
  badReply: {
    code: 'PB-NEUTRON-1',
    class: 'transient',
    template:
      "neutron-server's answer to {method} has no usable {field}: is the server of another release, or is something else answering on its topic?",
  },
  badPort: {
    code: 'PB-NEUTRON-2',
    class: 'transient',
    template: 'what neutron-server says of port {port} has no usable {field}',
  },
  unansweredStart: {
    code: 'PB-NEUTRON-3',
    class: 'transient',
    template:
      'neutron-server does not answer on {broker}: is it running, and is transport_url the same as its own? ({reason})',
  },
});
