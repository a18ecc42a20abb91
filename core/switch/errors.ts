import { defineErrors } from '@patchbay/sdk';

/** Errors of the switch side. */
export const switchErrors = defineErrors({
  unreachable: {
    code: 'PB-SWITCH-UNREACHABLE',
    class: 'transient',
    template:
      'the switch database {target} does not answer ({reason}): does Open vSwitch run, may this user open its socket (root may), and is ovsdb_connection right?',
  },
  cookie: {
    code: 'PB-SWITCH-COOKIE',
    class: 'refused',
    template: 'plugins {plugin} and {other} have the same flow cookie {cookie}; rename one of them',
  },
  reservedCookie: {
    code: 'PB-SWITCH-RESERVED-COOKIE',
    class: 'refused',
    template: 'cookie {cookie} cannot be reserved: it takes in those of Patchbay itself',
  },
  noBridge: {
    code: 'PB-SWITCH-NO-BRIDGE',
    class: 'transient',
    template: 'bridge {bridge} has no OpenFlow connection; it is missing, or ovs-vswitchd does not run',
  },
  noPort: {
    code: 'PB-SWITCH-NO-PORT',
    class: 'refused',
    template: 'port {port} is not on bridge {bridge}; check the name, or wait for its port-added',
  },
  noFlush: {
    code: 'PB-SWITCH-NO-FLUSH',
    class: 'refused',
    template: 'this Open vSwitch ({version}) cannot flush conntrack over OpenFlow; it needs 3.1 or later',
  },
  taken: {
    code: 'PB-SWITCH-TAKEN',
    class: 'fatal',
    template:
      '{reason}, and did not leave it within {seconds} s: stop that agent first, two must not write to one switch',
  },
  restless: {
    code: 'PB-SWITCH-RESTLESS',
    class: 'refused',
    template:
      'key {key} of plugin {plugin} was worked out {times} times for other keys’ sake and never came to rest: a fault of Patchbay, please report it with what these keys state',
  },
  held: {
    code: 'PB-SWITCH-HELD',
    class: 'transient',
    template: 'nothing is written to the switch: {reason}',
  },
});
