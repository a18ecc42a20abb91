import { defineErrors } from '@patchbay/sdk';

/** What is wrong with an operator's files. Each code has a section in docs/errors.md. */
export const ConfigError = defineErrors({
  unreadable: {
    code: 'PB-INI-UNREADABLE',
    class: 'refused',
    template: '{problem}; check the path, and that the user the agent runs as may read it',
  },
  syntax: { code: 'PB-INI-SYNTAX', class: 'refused', template: '{problem}' },
  value: { code: 'PB-INI-VALUE', class: 'refused', template: '{where}: [{section}] {option}: {problem}' },
  optionRefused: {
    code: 'PB-INI-OPTION-REFUSED',
    class: 'refused',
    template:
      '{where}: [{section}] {option} = {value}: {reason}; {instead}; `--accept-missing {accept}` starts without it',
  },
  extensionMissing: {
    code: 'PB-INI-EXTENSION-MISSING',
    class: 'refused',
    template:
      '{where}: [{section}] {option}: there is no plugin for the extension "{extension}"; {hint}; `--accept-missing {accept}` starts without it',
  },
  firewallMissing: {
    code: 'PB-INI-FIREWALL-MISSING',
    class: 'refused',
    template:
      '{where}: [{section}] {option} = {value}: {reason}; {instead}; `--accept-missing {accept}` starts with anti-spoofing only, which leaves ports UNFILTERED',
  },
  inconsistent: {
    code: 'PB-INI-INCONSISTENT',
    class: 'refused',
    template: '{where}: [{section}] {option}: {problem}',
  },
  pluginOption: {
    code: 'PB-INI-PLUGIN-OPTION',
    class: 'refused',
    template: '{where}: {plugin}: {field}: {problem}',
  },
  pluginsFile: { code: 'PB-PLUGINS-FILE-INVALID', class: 'refused', template: '{where}: {problem}' },
});
