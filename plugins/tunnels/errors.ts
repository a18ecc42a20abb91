import { defineErrors } from '@patchbay/sdk';

export const TunnelErrors = defineErrors({
  localIpNotHere: {
    code: 'PB-TUNNELS-1',
    class: 'refused',
    template:
      'local_ip {local_ip} is on no interface of this host, so other hosts cannot reach its tunnels (addresses here: {addresses}); is the underlay interface up, or was the file copied from another host?',
  },
});
