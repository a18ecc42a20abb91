import { defineErrors } from '@patchbay/sdk';

export const SecurityGroupErrors = defineErrors({
  switchUnread: {
    code: 'PB-SECURITY-GROUPS-1',
    class: 'transient',
    template: 'the integration bridge could not be read yet ({state}), so no conjunction id can be given',
  },
});
