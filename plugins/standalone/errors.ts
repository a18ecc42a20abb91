import { defineErrors } from '@patchbay/sdk';

export const StandaloneErrors = defineErrors({
  badNetworks: {
    code: 'PB-STANDALONE-1',
    class: 'refused',
    template: 'the networks file is refused, the last good one stays: {mistakes}',
  },
  empty: {
    code: 'PB-STANDALONE-3',
    class: 'refused',
    template: 'the networks file {file} is empty, as while it is being written; `networks: {}` describes nothing',
  },
  unreadable: {
    code: 'PB-STANDALONE-2',
    class: 'refused',
    template: 'cannot read the networks file {file}: {reason}',
  },
});
