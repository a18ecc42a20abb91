import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { iniOptions, optionsPage } from '../../../core/config';
import { convert } from '../../../core/config/oslo';
import { defaultSettings } from '../../../core/kernel/config/settings';
import { AntiSpoofingConfig } from '../../../plugins/anti-spoofing/config';
import { ArpResponderConfig } from '../../../plugins/arp-responder/config';
import { BridgeMappingsConfig } from '../../../plugins/bridge-mappings/config';
import { HeartbeatConfig } from '../../../plugins/heartbeat/config';
import { IntegrationBridgeConfig } from '../../../plugins/integration-bridge/config';
import { L2PopulationConfig } from '../../../plugins/l2-population/config';
import { NeutronConfig } from '../../../plugins/neutron/config';
import { TunnelsConfig } from '../../../plugins/tunnels/config';

const schemas: Readonly<Record<string, z.ZodObject>> = {
  'anti-spoofing': AntiSpoofingConfig,
  'arp-responder': ArpResponderConfig,
  'bridge-mappings': BridgeMappingsConfig,
  heartbeat: HeartbeatConfig,
  'integration-bridge': IntegrationBridgeConfig,
  'l2-population': L2PopulationConfig,
  neutron: NeutronConfig,
  tunnels: TunnelsConfig,
};

const targets = iniOptions.flatMap((option) =>
  option.verdict.kind === 'honoured' ? option.verdict.becomes.map((target) => ({ option, target })) : [],
);

test('docs/options.md is what the option table says', () => {
  expect(readFileSync(join(__dirname, '../../../docs/options.md'), 'utf8')).toBe(optionsPage());
});

test('each option is in the table once', () => {
  const all = iniOptions.map((option) => `${option.section}.${option.name}`);
  expect(all.filter((each, place) => all.indexOf(each) !== place)).toEqual([]);
});

test('every default is of its type', () => {
  for (const option of iniOptions) {
    if (option.default !== null) expect(() => convert(option.type, option.default ?? '')).not.toThrow();
  }
});

test('every setting that an option becomes is one, of the same type', () => {
  const settings: Readonly<Record<string, unknown>> = { ...defaultSettings() };
  const logging: Readonly<Record<string, unknown>> = { ...defaultSettings().logging };
  for (const { option, target } of targets) {
    const [owner, name = '', inner] = target.split('.');
    if (owner !== 'settings') continue;
    const place = inner === undefined ? settings : logging;
    expect(Object.keys(place)).toContain(inner ?? name);
    const ours = place[inner ?? name];
    const kinds: Readonly<Record<string, string>> = {
      boolean: 'boolean',
      integer: 'number',
      list: 'object',
      dict: 'object',
    };
    if (ours !== null) expect([target, typeof ours]).toEqual([target, kinds[option.type.kind] ?? 'string']);
  }
});

test('defaults of our own section are those of the settings', () => {
  const settings: Readonly<Record<string, unknown>> = { ...defaultSettings() };
  for (const { option, target } of targets) {
    const [owner, name = ''] = target.split('.');
    if (owner !== 'settings' || option.section !== 'patchbay' || option.default === null) continue;
    expect([target, settings[name]]).toEqual([target, convert(option.type, option.default)]);
  }
});

test('every setting has an option, so that an ini can say all that YAML can', () => {
  const settings = defaultSettings();
  const reached = targets.map(({ target }) => target);
  const { logging, ...others } = settings;
  for (const name of Object.keys(others)) expect(reached).toContain(`settings.${name}`);
  for (const name of Object.keys(logging)) expect(reached).toContain(`settings.logging.${name}`);
});

test('every option that a stock plugin is given is one that it has, with the default of the reference', () => {
  for (const { option, target } of targets) {
    const [plugin = '', name = ''] = target.split('.');
    const schema = schemas[plugin];
    if (schema === undefined) continue;
    expect([target, Object.hasOwn(schema.shape, name)]).toEqual([target, true]);
    if (name === 'rabbit' || option.default === null) continue;
    const shape = schema.shape[name] ?? z.never();
    const theirs = z.safeParse(shape, convert(option.type, option.default));
    expect([target, theirs.data]).toEqual([target, z.safeParse(shape, undefined).data]);
  }
});

test('an option that means nothing here, or is refused, says why', () => {
  for (const { verdict } of iniOptions) {
    if (verdict.kind !== 'honoured') expect(verdict.reason.length).toBeGreaterThan(10);
  }
});

test('every option that is said to be honoured is read by code beyond its declaration', () => {
  const root = join(__dirname, '../../..');
  const textOf = (folder: string, declarations: RegExp) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((file) => join(folder, file))
      .filter((file) => file.endsWith('.ts') && !/\/(dist|node_modules)\//.test(file) && !declarations.test(file))
      .map((file) => readFileSync(join(root, file), 'utf8'))
      .join('\n');
  const core = textOf('core', /core\/config\/options\/|core\/kernel\/config\/|core\/rpc\/rabbit-options/);
  const texts = new Map<string, string>([['settings', core]]);
  const unread = targets.filter(({ target }) => {
    const [owner = '', name = '', inner] = target.split('.');
    // Extensions without a plugin of ours: an option takes effect where one is brought.
    if (owner !== 'settings' && !existsSync(join(root, 'plugins', owner))) return false;
    if (!texts.has(owner)) texts.set(owner, textOf(`plugins/${owner}`, /config\.ts$/));
    const text = inner === undefined || owner === 'settings' ? texts.get(owner) : core;
    return !new RegExp(`\\b${inner ?? name}\\b`).test(text ?? '');
  });
  expect(unread.map(({ target }) => target)).toEqual([]);
});
