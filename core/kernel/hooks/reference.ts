import { HOOKS, type HookFamily, type HookName } from '@patchbay/sdk';
import { HOOK_SETTINGS } from './options';

const MAY: Readonly<Record<HookFamily, string>> = {
  before: 'return a changed draft, or refuse',
  on: 'return nothing',
  resolve: 'answer, or pass with undefined',
  contribute: 'return a part of the answer',
};

const ON_FAILURE: Readonly<Record<HookFamily, string>> = {
  before: 'advisory: its change is dropped; required: the port stays shut and is tried again',
  on: 'the plugin is degraded, the fact is told again, others go on',
  resolve: 'counts as a pass; the plugin is degraded',
  contribute: 'its part is left out',
};

/** The table of docs/hooks.md, made from the SDK's own list of hooks and the budgets that hold. */
export function hooksReference(): string {
  const rows = (Object.keys(HOOKS) as readonly HookName[]).map((hook) => {
    const family = HOOKS[hook];
    const budget = `${HOOK_SETTINGS.budgetsMs[family] / 1000} s`;
    return `| \`${hook}\` | ${family} | ${MAY[family]} | ${budget} | ${ON_FAILURE[family]} |`;
  });
  return ['| hook | family | a tap may | budget | if it fails |', '|---|---|---|---|---|', ...rows].join('\n');
}
