import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Manifest, manifestOf, type Plugin, type PluginClass, plugin, providedToken, use } from '@patchbay/sdk';
import { z } from 'zod';
import type { PluginEntry } from '../../../core/kernel/config/model';
import { describedPlugin } from '../../../core/kernel/loader/described';
import { checkedManifest } from '../../../core/kernel/loader/manifest';
import { type FoundPlugin, findPlugins } from '../../../core/kernel/loader/modules';
import { resolvePlan } from '../../../core/kernel/loader/plan';
import { packetCeiling } from '../../../core/kernel/packet-ins';

const clock = providedToken<string>('clock');

function make(manifest: Partial<Manifest> & { readonly id: string }): PluginClass {
  class Made implements Plugin {}
  plugin({ summary: 'Made for a test', sdk: '^1.0.0', onFailure: 'degrade', ...manifest })(Made);
  return Made;
}

function found(cls: PluginClass, entry: Partial<PluginEntry> = {}): FoundPlugin {
  const full = { name: manifestOf(cls)?.id ?? '', options: {}, from: 'patchbay.yaml:3', ...entry };
  return { ...describedPlugin(cls, full.from, full), version: null, origin: 'package', file: null, entry: full };
}

const CEILING = packetCeiling(1000);

const idsOf = (...classes: readonly PluginClass[]) =>
  resolvePlan(
    classes.map((cls) => found(cls)),
    [],
    CEILING,
  ).ordered.map(({ manifest }) => manifest.id);

describe('a manifest', () => {
  it.each([
    ['id', { id: 'BridgeMappings' }],
    ['summary', { id: 'a', summary: 'two\nlines' }],
    ['sdk', { id: 'a', sdk: 'one or so' }],
    ['config', { id: 'a', config: z.object({ loose: z.string() }) }],
    ['config', { id: 'a', config: z.string() }],
    [
      'numbers.0.numbers',
      { id: 'a', numbers: [{ kind: 'meter' as const, bridge: 'integration' as const, numbers: [1, 20_000] as const }] },
    ],
    ['claims.0.tables.0', { id: 'a', claims: [{ bridge: 'integration' as const, tables: [300] }] }],
    ['packetIns.perSecond', { id: 'a', packetIns: { perSecond: 0, burst: 1 } }],
    ['after.0', { id: 'a', after: ['Not An Id'] }],
  ])('is refused with the field %s', (field, manifest) => {
    expect(() => checkedManifest(make(manifest), 'x:1')).toThrow(
      `PB-MANIFEST-INVALID: the manifest of ${manifest.id} (x:1) is wrong at ${field}`,
    );
  });

  it('may have a strict object with refinements and defaults as its schema', () => {
    const config = z.strictObject({ a: z.number().default(1) }).refine(({ a }) => a > 0);
    expect(checkedManifest(make({ id: 'a', config }), 'x:1').id).toBe('a');
  });

  it('for another SDK says which ranges fit', () => {
    expect(() => checkedManifest(make({ id: 'a', sdk: '^2.0.0' }), 'x:1', '1.4.0')).toThrow(
      'PB-SDK-MISMATCH: a (x:1) was written for SDK ^2.0.0 and this agent has 1.4.0; ranges that hold it are such as ^1.4.0 or 1.x',
    );
  });
});

describe('the order of plugins', () => {
  it('has ties by id', () => {
    expect(idsOf(make({ id: 'c' }), make({ id: 'a' }), make({ id: 'b' }))).toEqual(['a', 'b', 'c']);
  });

  it('follows after and before, and ignores those that are not on the list', () => {
    const classes = [make({ id: 'a', after: ['c', 'absent'] }), make({ id: 'b' }), make({ id: 'c', after: ['b'] })];
    expect(idsOf(...classes)).toEqual(['b', 'c', 'a']);
    expect(idsOf(make({ id: 'z', before: ['a'] }), make({ id: 'a' }))).toEqual(['z', 'a']);
  });

  it('puts the provider of a token first', () => {
    expect(idsOf(make({ id: 'a', requires: [clock] }), make({ id: 'z', provides: [clock] }))).toEqual(['z', 'a']);
  });

  it('puts the provider of a token first that only a constructor names', () => {
    class Asks implements Plugin {
      constructor(readonly time: string) {}
      tap(): void {}
    }
    use(clock)(Asks, undefined, 0);
    plugin({ id: 'asks', summary: 'Asks', sdk: '^1.0.0', onFailure: 'degrade' })(Asks);
    expect(idsOf(Asks, make({ id: 'z', provides: [clock] }))).toEqual(['z', 'asks']);
  });

  it('is refused with the loop printed', () => {
    const loop = [make({ id: 'a', after: ['b'] }), make({ id: 'b', after: ['c'] }), make({ id: 'c', after: ['a'] })];
    expect(() => idsOf(...loop)).toThrow('PB-ORDER-LOOP: there is no order for the plugins: a → c → b → a');
  });

  it('says why a plugin comes where it comes', () => {
    const { planned } = resolvePlan(
      [found(make({ id: 'a', requires: [clock] })), found(make({ id: 'z', provides: [clock] }))],
      [],
      CEILING,
    );
    expect(planned[1]).toMatchObject({ id: 'a', because: ['after z (provides clock)'] });
  });
});

describe('the plugin list', () => {
  it('names a required plugin that is missing', () => {
    expect(() =>
      idsOf(make({ id: 'a', requires: ['port-bindin'], onFailure: 'abort' }), make({ id: 'port-binding' })),
    ).toThrow(
      'PB-MISSING-REQUIREMENT: a requires plugin port-bindin, which nothing on the plugin list provides; did you mean port-binding?',
    );
  });

  it('names who could provide a required token', () => {
    const stock = manifestOf(make({ id: 'neutron', provides: [clock] })) as Manifest;
    expect(() =>
      resolvePlan([found(make({ id: 'a', requires: [clock], onFailure: 'abort' }))], [stock], CEILING),
    ).toThrow('neutron could');
  });

  it('goes on without a plugin that lacks something and that the agent can do without', () => {
    const { ordered, unmet } = resolvePlan(
      [found(make({ id: 'a', requires: [clock] })), found(make({ id: 'b' }))],
      [],
      CEILING,
    );
    expect(ordered.map(({ manifest }) => manifest.id)).toEqual(['a', 'b']);
    expect(unmet.get('a')?.message).toContain('a requires token clock');
  });

  it('refuses the same id twice', () => {
    expect(() => idsOf(make({ id: 'a' }), make({ id: 'a' }))).toThrow('PB-PLUGIN-TWICE');
  });

  it('refuses two providers of a token', () => {
    expect(() => idsOf(make({ id: 'a', provides: [clock] }), make({ id: 'b', provides: [clock] }))).toThrow(
      'PB-SECOND-PROVIDER',
    );
  });

  it('drops what is replaced and lets its neighbours follow the replacement', () => {
    const classes = [
      make({ id: 'stock', provides: [clock] }),
      make({ id: 'z-own', replaces: 'stock', provides: [clock] }),
      make({ id: 'a', after: ['stock'] }),
      make({ id: 'b', requires: ['stock'] }),
    ];
    expect(idsOf(...classes)).toEqual(['z-own', 'a', 'b']);
  });

  it('refuses a replacement that does not provide what it owes', () => {
    expect(() => idsOf(make({ id: 'stock', provides: [clock] }), make({ id: 'own', replaces: 'stock' }))).toThrow(
      'PB-REPLACEMENT-INCOMPLETE: own replaces stock and does not provide clock, which stock did',
    );
  });

  it('refuses two replacements of one plugin', () => {
    expect(() => idsOf(make({ id: 'a', replaces: 'stock' }), make({ id: 'b', replaces: 'stock' }))).toThrow(
      'PB-REPLACED-TWICE',
    );
  });

  it('lets a third party be required only where the operator allows it', () => {
    const wall = make({ id: 'wall', required: true });
    expect(() => resolvePlan([found(wall)], [], CEILING)).toThrow(
      'PB-REQUIRED-NOT-ALLOWED: wall asks to be a condition of every port',
    );
    expect(resolvePlan([found(wall, { required: true })], [], CEILING).planned[0]?.required).toBe(true);
  });
});

describe('a plugin that asks for packets', () => {
  const responder = (packetIns: Manifest['packetIns'], onFailure: Manifest['onFailure'] = 'degrade') =>
    found(make({ id: 'responder', onFailure, ...(packetIns && { packetIns }) }));
  const unmetOf = (plugin: FoundPlugin, perSecond: number) =>
    resolvePlan([plugin], [], packetCeiling(perSecond)).unmet.get('responder');

  it('may have as many as the operator’s ceiling, and twice that in a burst', () => {
    expect(unmetOf(responder({ perSecond: 1000, burst: 2000 }), 1000)).toBeUndefined();
    expect(unmetOf(responder(undefined), 10)).toBeUndefined();
  });

  it.each([
    { perSecond: 1001, burst: 10 },
    { perSecond: 10, burst: 2001 },
  ])('is named and not started where it wants more: %p', (packetIns) => {
    const { perSecond, burst } = packetIns;
    const message = `PB-PACKET-INS-REFUSED: responder (patchbay.yaml:3) asks for ${perSecond} packets a second in bursts of ${burst}, and no plugin may have more than 1000 in bursts of 2000`;
    expect(unmetOf(responder(packetIns), 1000)?.message).toContain(message);
    expect(unmetOf(responder(packetIns), 1001)).toBeUndefined();
    expect(() => unmetOf(responder(packetIns, 'abort'), 1000)).toThrow(message);
  });
});

describe('options of a plugin', () => {
  const config = z.strictObject({
    local_ip: z.ipv4(),
    nested: z.strictObject({ vxlan_udp_port: z.int().default(4789) }).prefault({}),
  });
  const parse = (options: Record<string, unknown>) => found(make({ id: 'tunnels', config }), { options }).config;

  it('are parsed, with defaults, and frozen', () => {
    const parsed = parse({ local_ip: '192.0.2.1' });
    expect(parsed).toEqual({ ok: true, config: { local_ip: '192.0.2.1', nested: { vxlan_udp_port: 4789 } } });
    expect(parsed.ok && Object.isFrozen(parsed.config)).toBe(true);
  });

  it('that are unknown are refused with the nearest known one', () => {
    const parsed = parse({ local_ip: '192.0.2.1', local_pi: '192.0.2.1' });
    expect(parsed.ok ? [] : parsed.errors.map((error) => error.message)).toEqual([
      'PB-OPTION-UNKNOWN: tunnels: unknown option local_pi (patchbay.yaml:3); did you mean local_ip?',
    ]);
  });

  it('that are wrong are all refused, with their paths', () => {
    const parsed = parse({ local_ip: 'here', nested: { vxlan_udp_port: 'high' } });
    expect(parsed.ok ? [] : parsed.errors.map(({ code, fields }) => [code, fields.field])).toEqual([
      ['PB-OPTION-INVALID', 'local_ip'],
      ['PB-OPTION-INVALID', 'nested.vxlan_udp_port'],
    ]);
  });

  it('are refused where the plugin takes none', () => {
    const parsed = found(make({ id: 'plain' }), { options: { a: 1 } }).config;
    expect(parsed.ok ? '' : parsed.errors[0]?.message).toContain('unknown option a (patchbay.yaml:3); it takes none');
  });
});

describe('finding plugins', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'patchbay-loader-'));
    mkdirSync(join(directory, 'node_modules', 'acme-firewall'), { recursive: true });
    writeFileSync(
      join(directory, 'node_modules', 'acme-firewall', 'package.json'),
      JSON.stringify({ name: 'acme-firewall', version: '3.2.1', main: 'main.js' }),
    );
    writeFileSync(join(directory, 'node_modules', 'acme-firewall', 'main.js'), '');
    writeFileSync(join(directory, 'own.js'), '');
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const find = (name: string, module: unknown, options: Record<string, unknown> = {}) =>
    findPlugins(
      { name, options, from: 'patchbay.yaml:7' },
      {
        stock: new Map([['heartbeat', make({ id: 'heartbeat' })]]),
        stockVersion: '0.1.0',
        packageDirs: [directory],
        configDir: directory,
        load: async () => module,
      },
    );

  it('takes a stock id', async () => {
    expect(await find('heartbeat', undefined)).toMatchObject([{ origin: 'stock', version: '0.1.0' }]);
  });

  it('takes a package, with its version', async () => {
    const module = { default: make({ id: 'acme-firewall' }) };
    expect(await find('acme-firewall', module)).toMatchObject([{ origin: 'package', version: '3.2.1' }]);
  });

  it('takes a path relative to the configuration file', async () => {
    expect(await find('./own.js', { default: make({ id: 'own' }) })).toMatchObject([{ origin: 'path' }]);
  });

  it('takes several named exports, with options by id', async () => {
    const module = { One: make({ id: 'one' }), Two: make({ id: 'two' }), helper: () => 1 };
    const several = await find('./own.js', module, { two: { size: 2 } });
    expect(several.map(({ manifest, options }) => [manifest.id, options])).toEqual([
      ['one', {}],
      ['two', { size: 2 }],
    ]);
  });

  it('takes a CommonJS module that was compiled from ESM', async () => {
    expect(await find('./own.js', { default: { default: make({ id: 'own' }) } })).toHaveLength(1);
  });

  it('says where a package was looked for, and what may have been meant', async () => {
    await expect(find('hartbeat', undefined)).rejects.toThrow(
      `PB-PLUGIN-NOT-FOUND: plugin hartbeat (patchbay.yaml:7) was not found; did you mean heartbeat? it is no stock plugin, and no package of that name was found from ${directory}`,
    );
  });

  it('says which file a path stood for', async () => {
    await expect(find('./missing.js', undefined)).rejects.toThrow(
      `there is no module ${join(directory, 'missing.js')}`,
    );
  });

  it('says that a module exports no plugin', async () => {
    await expect(find('./own.js', { something: 1 })).rejects.toThrow('PB-NOT-A-PLUGIN: ./own.js (patchbay.yaml:7)');
  });
});
