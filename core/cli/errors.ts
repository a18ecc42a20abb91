import { defineErrors } from '@patchbay/sdk';

export const CliErrors = defineErrors({
  alreadyRunning: {
    code: 'PB-CLI-1',
    class: 'fatal',
    template: 'another agent answers on {socket}: stop it first, or give this one a run_dir of its own',
  },
  notRunning: {
    code: 'PB-CLI-2',
    class: 'refused',
    template: 'no agent answers on {socket} ({reason}): is it running, and is --run-dir the one it was started with?',
  },
  agentRefused: {
    code: 'PB-CLI-3',
    class: 'refused',
    template: '{reason}',
  },
  noConfiguration: {
    code: 'PB-CLI-4',
    class: 'refused',
    template:
      'no configuration: give --config patchbay.yaml, or --config-file neutron.conf --config-file openvswitch_agent.ini',
  },
  twoConfigurations: {
    code: 'PB-CLI-5',
    class: 'refused',
    template:
      '--config and --config-file cannot go together: the ini files name the stock list, [patchbay] plugins_file adds to it',
  },
});
