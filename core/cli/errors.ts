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
    template:
      'no agent answers on {socket} ({reason}): is it running, may this user open its socket (root may), and is --run-dir the one it was started with?',
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
  noRunDirectory: {
    code: 'PB-CLI-10',
    class: 'fatal',
    template:
      'cannot make the admin socket {socket} ({reason}): run the agent as root, or set run_dir to a folder of its own',
  },
  noCommands: {
    code: 'PB-CLI-6',
    class: 'refused',
    template: '{word} is neither a command of patchbay nor a running plugin with commands of its own; {hint}',
  },
  projectName: {
    code: 'PB-CLI-7',
    class: 'refused',
    template: '{name} cannot be the name of a plugin: {problem}',
  },
  folderInUse: {
    code: 'PB-CLI-8',
    class: 'refused',
    template: '{folder} is there already and is not empty: take another name, or another folder with --in',
  },
  noTarball: {
    code: 'PB-CLI-9',
    class: 'refused',
    template:
      '{packages} lacks {file}: run `npm run pack` where Patchbay was checked out, and give the folder it names',
  },
});
