import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOOKS, type HookFamily, type HookName, Service, type Token, type TokenScope } from '@patchbay/sdk';
import ts from 'typescript';
import { HOOK_SETTINGS } from '../../core/kernel/hooks/options';
import { SdkDeclarations } from './declarations';

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

const FAMILIES: readonly HookFamily[] = ['before', 'on', 'resolve', 'contribute'];

/** What docs/hooks.md says of every hook and of what it carries: from the SDK's sources and the budgets that hold. */
export function hooksReference(): string {
  const sdk = new SdkDeclarations();
  const hooks = sdk.members('AgentHooks');
  const families = FAMILIES.map((family) => {
    const budget = `${HOOK_SETTINGS.budgetsMs[family] / 1000} s`;
    return `| ${family} | ${MAY[family]} | ${budget} | ${ON_FAILURE[family]} |`;
  });
  const sections = hooks.map(({ name, type, summary }) => {
    const [payload = '', result = ''] = argumentsOf(type);
    const family = HOOKS[name as HookName];
    return `### ${name}\n\n${summary}\n\n${family}: \`(${payload}, HookContext) => ${result}\``;
  });
  return [
    ['| family | a tap may | budget | if it fails |', '|---|---|---|---|', ...families].join('\n'),
    '## Each hook',
    ...sections,
    '## What they carry',
    fenced(hookTypes(sdk).map((name) => sdk.text(name))),
  ].join('\n\n');
}

/** What docs/sdk/reference.md shows: each type of the SDK that a plugin's author writes or is given, once, where it is first needed. */
export function sdkReference(): string {
  const sdk = new SdkDeclarations();
  const order: readonly TokenScope[] = ['plugin', 'provided', 'agent'];
  const services = [...tokenTypes()].sort(([left], [right]) => order.indexOf(left.scope) - order.indexOf(right.scope));
  const parts: readonly (readonly [title: string, types: readonly string[]])[] = [
    ['Manifest and plugin', ['Manifest', 'Plugin', 'Provide']],
    ['Flows, groups, meters', ['Flow', 'Group', 'Meter']],
    ['What a key states', ['DesiredRecords']],
    ...services.map(([{ name }, type]) => [`Service.${name}`, [type]] as const),
    ['Errors', ['ErrorDefinition', 'ErrorClass']],
  ];
  const shown = new Set(['AgentHooks', 'Token', ...hookTypes(sdk)]);
  const sections = parts.map(([title, types]) => {
    const first = sdk.reachable(types, shown);
    for (const name of first) shown.add(name);
    return `## ${title}\n\n${fenced(first.map((name) => sdk.text(name)))}`;
  });
  return sections.join('\n\n').replace(/^## .*\n\n/, '');
}

/** The type arguments of `Tap<Payload, Result>`, as they are written. */
function argumentsOf(type: ts.TypeNode): readonly string[] {
  if (!ts.isTypeReferenceNode(type)) throw new Error(`${type.getText()} is no Tap`);
  return (type.typeArguments ?? []).map((one) => one.getText().replace(/\breadonly /g, ''));
}

/** Each token with the name of its type, where it has one. */
function tokenTypes(): readonly (readonly [Token<unknown>, string])[] {
  const source = readFileSync(join(__dirname, '../../sdk/tokens.ts'), 'utf8');
  return Object.values(Service).flatMap((token) => {
    const type = new RegExp(`^  ${token.name}: new Token<(\\w+)>`, 'm').exec(source)?.[1];
    return type === undefined || type === 'unknown' ? [] : [[token, type] as const];
  });
}

function hookTypes(sdk: SdkDeclarations): readonly string[] {
  const carried = sdk.members('AgentHooks').flatMap(({ type }) => sdk.mentioned(type));
  return sdk.reachable(['HookContext', 'TapOrder', ...carried], new Set(['Tap', 'Answer']));
}

const fenced = (texts: readonly string[]): string => `\`\`\`ts\n${texts.join('\n\n')}\n\`\`\``;
