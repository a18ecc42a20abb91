import { agentOptions, securityGroupOptions } from './agent';
import { defaultOptions } from './default';
import { extensionOptions, libraryOptions } from './extensions';
import type { IniOption } from './model';
import { ovsOptions } from './ovs';
import { ownOptions } from './own';
import { rabbitOptions } from './rabbit';

export type { IniOption, Verdict } from './model';

/** Every option of the reference agent's files, and ours, in the order of docs/options.md. */
export const iniOptions: readonly IniOption[] = [
  ...ownOptions,
  ...defaultOptions,
  ...ovsOptions,
  ...agentOptions,
  ...securityGroupOptions,
  ...rabbitOptions,
  ...extensionOptions,
  ...libraryOptions,
];
