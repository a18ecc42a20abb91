import { LineCounter, parseDocument } from 'yaml';
import type { PluginEntry } from '../kernel/config/model';
import { ConfigError } from './errors';

/**
 * Merges a YAML plugin list into another. The document is a list, or a map with that list as `plugins:`. An item is a name, a
 * map of one name to its options, `{ name, options, required }`, or `{ remove: name }`. What is there already keeps its place
 * and its options, save those that the item gives.
 * @throws PatchbayError PB-PLUGINS-FILE-INVALID, with file and line
 */
export function mergePluginList(stock: readonly PluginEntry[], text: string, file: string): readonly PluginEntry[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    const line = mistake.linePos?.[0].line ?? 1;
    throw ConfigError.pluginsFile({ where: `${file}:${line}`, problem: mistake.message.split('\n')[0] });
  }
  const content: unknown = document.toJS();
  const within = Array.isArray(content) ? [] : ['plugins'];
  const items = Array.isArray(content) ? content : listIn(content, file);
  const entries = new Map(stock.map((entry) => [entry.name, entry]));
  for (const [place, item] of items.entries()) {
    const node: unknown = document.getIn([...within, place], true);
    const range = (node as { range?: readonly number[] } | undefined)?.range;
    apply(entries, item, `${file}:${lines.linePos(range?.[0] ?? 0).line}`);
  }
  return [...entries.values()];
}

function listIn(content: unknown, file: string): readonly unknown[] {
  const where = `${file}:1`;
  if (content === null || content === undefined) return [];
  if (!isMap(content)) throw ConfigError.pluginsFile({ where, problem: 'expected a list of plugins' });
  const { plugins = [], ...others } = content;
  const [stranger] = Object.keys(others);
  if (stranger !== undefined) {
    throw ConfigError.pluginsFile({ where, problem: `"${stranger}" has no place here, only plugins: has` });
  }
  if (!Array.isArray(plugins))
    throw ConfigError.pluginsFile({ where, problem: 'plugins: is no list (put "- " before each)' });
  return plugins;
}

function apply(entries: Map<string, PluginEntry>, item: unknown, where: string): void {
  const removed = isMap(item) && 'remove' in item ? item.remove : undefined;
  if (removed !== undefined) {
    if (typeof removed !== 'string' || !entries.delete(removed)) {
      throw ConfigError.pluginsFile({
        where,
        problem: `remove: ${String(removed)} is not on the list (there are ${[...entries.keys()].join(', ')})`,
      });
    }
    return;
  }
  const { name, options, required } = readItem(item, where);
  const known = entries.get(name);
  entries.set(name, {
    ...known,
    name,
    options: { ...known?.options, ...options },
    ...(required === undefined ? {} : { required }),
    from: where,
  });
}

function readItem(
  item: unknown,
  where: string,
): { readonly name: string; readonly options: Readonly<Record<string, unknown>>; readonly required?: boolean } {
  const wrong = (problem: string) => ConfigError.pluginsFile({ where, problem });
  if (typeof item === 'string' && item !== '') return { name: item, options: {} };
  if (!isMap(item)) throw wrong('an item is a name, or a map of a name to its options');
  const keys = Object.keys(item);
  const [only] = keys;
  if (keys.length === 1 && only !== undefined && only !== 'name') {
    return { name: only, options: mapOrNothing(item[only], () => wrong(`the options of ${only} are no map`)) };
  }
  const { name, options, required, ...others } = item;
  const [stranger] = Object.keys(others);
  if (typeof name !== 'string' || name === '') throw wrong('an item with several keys needs name:');
  if (stranger !== undefined) throw wrong(`"${stranger}" has no place beside name, options and required`);
  if (required !== undefined && typeof required !== 'boolean') throw wrong('required is true or false');
  return {
    name,
    options: mapOrNothing(options, () => wrong(`the options of ${name} are no map`)),
    ...(required === undefined ? {} : { required }),
  };
}

function mapOrNothing(value: unknown, wrong: () => Error): Readonly<Record<string, unknown>> {
  if (value === null || value === undefined) return {};
  if (!isMap(value)) throw wrong();
  return value;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
