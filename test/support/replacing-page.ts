import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STOCK } from '@patchbay/plugins';
import {
  type Claim,
  type DesiredRecords,
  HOOKS,
  type HookName,
  manifestOf,
  printFlow,
  type RemotePorts,
  type Token,
} from '@patchbay/sdk';
import { aBoundSegment, anIsolatedPort, aPort, aTunnelEndpoint, Kit } from '@patchbay/testing';
import { constructorTokens } from '../../core/kernel/container';
import { optionNames } from '../../core/kernel/loader/manifest';
import { STOCK_NEEDS, stock } from './stock-kit';

const ROOT = join(__dirname, '../..');

/** The list of docs/sdk/replacing.md. */
export function replacingList(): string {
  return Object.entries(STOCK)
    .map(([id, plugin]) => `- [${id}](replacing/${id}.md): ${manifestOf(plugin)?.summary}.`)
    .join('\n');
}

/**
 * What a replacement of the plugin finds and owes: from its manifest, from a kernel that runs it and tells it of two ports, from its source for
 * what it calls, and from the operator's guide for its health.
 */
export async function replacingTable(id: string): Promise<string> {
  const manifest = manifestOf(stock(id));
  if (manifest === undefined) throw new Error(`${id} has no manifest`);
  const { requires = [], provides = [], claims = [], columns = [], numbers = [], tables = [] } = manifest;
  const { taps, keys, columnKeys, commands, stated } = await inAKernel(id);
  const rows: readonly (readonly [string, string | readonly string[]])[] = [
    ['provides', provides.map(nameOfToken)],
    ['requires', requires.map((one) => (typeof one === 'string' ? `plugin ${one}` : nameOfToken(one)))],
    ['asks for', constructorTokens(stock(id)).map((token) => `Service.${(token ?? '').replace('patchbay:', '')}`)],
    ['options', optionNames(manifest.config)],
    ['hooks it taps', taps],
    ['hooks it calls, which others rely on', hooksCalledBy(id)],
    ['required of every port', manifest.required === true ? 'yes' : 'no'],
    ['when it cannot start', manifest.onFailure === 'abort' ? 'the agent stops' : 'the agent goes on'],
    ['flows', claims.map(claimText)],
    ['columns', columns.map(({ bridge, columns: names }) => `${bridgeOf(bridge)} bridge: ${names.join(', ')}`)],
    ['meters and groups', numbers.map(({ kind, bridge }) => `${kind}s of the ${bridgeOf(bridge)} bridge`)],
    ['tables of its own', tables.map(({ bridge, name }) => `${name} of the ${bridge} bridge`)],
    ['keys it states', keys],
    ['what it writes into maps', columnKeys],
    ['commands', commands],
    [
      'metrics',
      [...sourceOf(id).matchAll(/metrics\.(?:counter|gauge|histogram)\(\{ name: '(\w+)'/g)].map(
        ([, name = '']) => name,
      ),
    ],
    ['health conditions', conditionsOf(id)],
    ['kept over restarts', /Service\.store\b/.test(sourceOf(id)) ? `\`<state_dir>/${id}.json\`` : []],
  ];
  const cells = rows.map(([what, value]) => [what, typeof value === 'string' ? value : marked(value)]);
  const table = [['part', id], ['---', '---'], ...cells].map((row) => `| ${row.join(' | ')} |`).join('\n');
  if (stated.length === 0) return table;
  return `${table}\n\n## What it states\n\nOf a port in a VLAN network (local VLAN 1), a VXLAN network (local VLAN 2), a tunnel endpoint and an address behind it, with the options of its tests, by key:\n\n\`\`\`\n${stated.join('\n')}\n\`\`\``;
}

/** Flows by key, each after its bridge, in the words of ovs-ofctl. */
function statedFlows(wants: ReadonlyMap<string, DesiredRecords>): readonly string[] {
  return [...wants].sort(byName).flatMap(([key, { flows = [], gates = [] }]) => {
    const all = [...flows, ...gates.flatMap(({ admission = [] }) => admission)];
    return [`# ${key}`, ...all.map((flow) => `${flow.bridge} ${printFlow(flow)}`).sort()];
  });
}

const byName = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number =>
  left < right ? -1 : 1;

const marked = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ') || '-';
const nameOfToken = ({ name }: Token<unknown>): string => `Service.${name}`;

const REMOTE: RemotePorts = {
  networkId: 'network-2',
  endpoint: aTunnelEndpoint(),
  delivery: 'flooded',
  addresses: [{ macAddress: 'fa:16:3e:00:00:09', ipAddress: '10.0.0.9' }],
};

async function inAKernel(id: string) {
  const { with: others = [], options = {}, optionsOfOthers = {}, bridges } = STOCK_NEEDS[id] ?? {};
  const kit = await Kit.start({
    plugins: [stock(id), ...others],
    options: { ...optionsOfOthers, [id]: options },
    switch: 'memory',
    ...(bridges === undefined ? {} : { bridges }),
  });
  try {
    const port = aPort();
    kit.controlPlane.ports.set(port.port.id, port.port);
    const externalIds = { 'iface-id': port.port.id, 'attached-mac': port.port.macAddress, 'iface-status': 'active' };
    await kit.plug({ name: port.vif.portName, externalIds });
    await kit.fire.onSegmentBound(aBoundSegment());
    await kit.fire.onSegmentBound(
      aBoundSegment({ networkType: 'vxlan', physicalNetwork: null, networkId: 'network-2' }, 2),
    );
    await kit.fire.onPortAdded(port);
    await kit.fire.onPortIsolated(anIsolatedPort());
    await kit.fire.onTunnelEndpointAdded(aTunnelEndpoint());
    await kit.fire.onForwardingChanged({ remotes: [REMOTE], knowledge: 'complete' });
    await kit.fire.onAgentSynced({ ports: 1 });
    const wants = kit.wants(id);
    return {
      taps: kit.kernel.hooksListing().flatMap(({ hook, plugins }) => (plugins.includes(id) ? [hook] : [])),
      stated: statedFlows(wants),
      keys: unique([...wants.keys()].map(shapeOf)),
      columnKeys: unique([...wants.values()].flatMap(columnKeysOf)),
      commands: kit.kernel.commands.list().flatMap(({ plugin, name }) => (plugin === id ? [name] : [])),
    };
  } finally {
    await kit.stop();
  }
}

/** A key with its names made general. */
function shapeOf(key: string): string {
  return key
    .replace(/\b(port|network)-\d\b/g, '<$1>')
    .replace(/\bbr-\w+/g, '<bridge>')
    .replace(/\bphysnet\d/g, '<physical network>')
    .replace(/\d+(\.\d+)+/g, '<address>')
    .replace(/\b\d+\b/g, '<number>');
}

function columnKeysOf({ bridges = [], ports = [], gates = [] }: DesiredRecords): readonly string[] {
  const named = (column: string, map: object | undefined) => Object.keys(map ?? {}).map((key) => `${column}:${key}`);
  return [
    ...bridges.flatMap((row) => [
      ...named('Bridge:other_config', row.otherConfig),
      ...named('Bridge:external_ids', row.externalIds),
    ]),
    ...ports.flatMap((row) => [
      ...named('Port:other_config', row.otherConfig),
      ...named('Port:external_ids', row.externalIds),
    ]),
    ...gates.flatMap((row) => [
      ...named('Port:other_config', row.otherConfig),
      ...named('Interface:other_config', row.interfaceOtherConfig),
    ]),
  ];
}

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)].sort();

function sourceOf(id: string): string {
  const folder = join(ROOT, 'plugins', id);
  const files = readdirSync(folder, { encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
}

function hooksCalledBy(id: string): readonly HookName[] {
  const source = sourceOf(id);
  return (Object.keys(HOOKS) as readonly HookName[]).filter((hook) => {
    const call = hook === 'onReportState' ? 'calls.reportState(' : `calls.${hook}(`;
    return source.includes(`.tell('${hook}'`) || source.includes(call);
  });
}

/** As the operator's guide has them: it is held to the source by a test of its own. */
function conditionsOf(id: string): readonly string[] {
  const guide = readFileSync(join(ROOT, 'docs/operators-guide.md'), 'utf8');
  return [...guide.matchAll(/^\| ([\w-]+), `([^`]+)` \|/gm)].flatMap(([, plugin, name = '']) =>
    plugin === id ? [name] : [],
  );
}

function claimText({ bridge, tables, priorities }: Claim): string {
  const where = tables === 'all' ? 'all tables' : `table${tables.length === 1 ? '' : 's'} ${tables.join(', ')}`;
  const [lowest, highest] = priorities ?? [];
  const at = lowest === undefined ? '' : ` at priority ${lowest === highest ? lowest : `${lowest} to ${highest}`}`;
  return `${bridgeOf(bridge)} bridge, ${where}${at}`;
}

function bridgeOf(bridge: Claim['bridge']): string {
  return typeof bridge === 'string' ? bridge : bridge.name;
}
