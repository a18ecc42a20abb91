import { STOCK } from '@patchbay/plugins';
import { type Claim, manifestOf } from '@patchbay/sdk';

/** The table of docs/sdk/replacing.md, from the stock plugins' manifests. */
export function replacingTable(): string {
  const rows = Object.entries(STOCK).map(([id, plugin]) => {
    const { requires = [], provides = [], claims = [], columns = [], required = false } = manifestOf(plugin) ?? {};
    return [
      `[${id}](../../plugins/${id}/README.md)${required ? ' (required)' : ''}`,
      provides.map(({ name }) => name).join(', ') || '-',
      requires.map((one) => (typeof one === 'string' ? one : one.name)).join(', ') || '-',
      claims.map(claimText).join('; ') || '-',
      columns.map(({ bridge, columns: names }) => `${nameOf(bridge)}: ${names.join(', ')}`).join('; ') || '-',
    ];
  });
  const head = ['plugin', 'provides', 'requires', 'flows', 'columns'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function claimText({ bridge, tables, priorities }: Claim): string {
  const where = tables === 'all' ? 'all tables' : `table${tables.length === 1 ? '' : 's'} ${tables.join(', ')}`;
  const [lowest, highest] = priorities ?? [];
  const at = lowest === undefined ? '' : ` at ${lowest === highest ? lowest : `${lowest} to ${highest}`}`;
  return `${nameOf(bridge)} ${where}${at}`;
}

function nameOf(bridge: Claim['bridge']): string {
  return typeof bridge === 'string' ? bridge : bridge.name;
}
