import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { STOCK } from '@patchbay/plugins';
import { manifestOf } from '@patchbay/sdk';
import { parse } from 'yaml';
import { readYaml } from '../../../core/kernel/config/yaml';
import { stock } from '../../../core/main';
import { readNetworks } from '../../../plugins/standalone/read';
import { blocks, pages, ROOT, read } from './pages';

interface Example {
  readonly place: string;
  readonly text: string;
}

const inPages: readonly Example[] = pages().flatMap((page) =>
  blocks(page, 'yaml').map((text, index) => ({ place: `${page}, example ${index + 1}`, text })),
);
const inFiles: readonly Example[] = readdirSync(join(ROOT, 'docs/examples')).map((name) => ({
  place: `docs/examples/${name}`,
  text: read(`docs/examples/${name}`),
}));
const demo: Example = { place: 'test/demo/networks.yaml', text: read('test/demo/networks.yaml') };

const isNetworks = ({ text }: Example): boolean => 'networks' in (parse(text) as object);
const examples = [...inPages, ...inFiles, demo];
const named = (list: readonly Example[]) => list.map((example) => [example.place, example] as const);

describe('examples of patchbay.yaml', () => {
  const configurations = examples.filter((example) => !isNetworks(example));

  it('are there to be tested', () => {
    expect(configurations.length).toBeGreaterThan(4);
  });

  it.each(named(configurations))('%s is read by the loader, and the stock plugins take their options', (place, {
    text,
  }) => {
    const { plugins } = readYaml(text, place, stock.lists);
    const refused = plugins.flatMap(({ name, options }) => {
      const plugin = STOCK[name];
      // What a stock list adds without options is for the operator to complete.
      if (plugin === undefined || Object.keys(options).length === 0) return [];
      return (
        manifestOf(plugin)
          ?.config?.safeParse(options)
          .error?.issues.map(({ message }) => `${name}: ${message}`) ?? []
      );
    });
    expect(refused).toEqual([]);
  });
});

describe('examples of the networks file', () => {
  const documents = examples.filter(isNetworks);

  it('are there to be tested', () => {
    expect(documents.length).toBeGreaterThan(2);
  });

  it.each(named(documents))('%s is accepted', (place, { text }) => {
    expect(() => readNetworks(text, place)).not.toThrow();
  });

  it('say what the page on standalone says of a wrong one', () => {
    const wrong = [
      'networks:',
      '  blue: { type: vxlan, segmentation_id: 100 }',
      '',
      'ports:',
      '  blue-web: { network: bleu, mac: fa:16:3e:00:00, addresses: [10.0.0.1] }',
    ].join('\n');
    const shown = /^ {4}(PB-STANDALONE-1: .*)$/m.exec(read('docs/standalone.md'))?.[1];
    expect(() => readNetworks(wrong, '/etc/patchbay/networks.yaml')).toThrow(shown);
  });

  it('are described with every field, and no other', () => {
    const page = read('docs/standalone.md');
    const fields = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, field]) => field);
    const source = read('plugins/standalone/document.ts');
    const known = [...source.matchAll(/^ {2,4}(\w+)(?:: (?:z\b|name\b|mac\b|prefix\b|address\b)|,$)/gm)].map(
      ([, field]) => field,
    );
    const sections = ['networks', 'ports', 'security_groups', 'address_groups', 'tunnel_peers'];
    expect(fields.filter((field) => !known.includes(field))).toEqual([]);
    const prose = known.filter((field) => !fields.includes(field));
    expect(prose.filter((field) => !page.includes(`\`${field}\``) && !sections.includes(field ?? ''))).toEqual([]);
  });
});
