import { OutsideScripts } from '../../support/outside-scripts';

jest.setTimeout(120_000);

/** Taps every port with one flow; goes wrong in the way that the port's name asks for. */
const PLUGIN = `
require('reflect-metadata');
const { plugin, use, Service, parseFlow } = require('@patchbay/sdk');
const { z } = require('zod');
class Isolated {
  constructor(desired, identity, config, store, commands, metrics) {
    Object.assign(this, { desired, identity, config, store });
    this.seen = metrics.counter({ name: 'seen_total', help: 'Ports seen' });
    commands.add({ name: 'thread', summary: 'Where it runs' }, ([word]) =>
      ({ word, isMainThread: require('node:worker_threads').isMainThread }));
  }
  tap(hooks) {
    hooks.onPortAdded(async ({ port }, { signal }) => {
      if (port.name === 'loop') for (;;);
      if (port.name === 'crash') setImmediate(() => { throw new Error('it fell over'); });
      if (port.name === 'throw') throw new Error('no');
      if (port.name === 'hang') await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      await this.store.set('last', port.id);
      this.seen.add(1);
      this.desired.set('port/' + port.id, {
        flows: [parseFlow(this.identity.integrationBridge, 'table=' + this.config.table + ',priority=7 actions=drop')],
      });
    });
    hooks.resolveTunnelPort(async () => 'vxlan-' + (await this.store.get('last')));
    hooks.onPortRemoved(({ bound }) => this.desired.unset('port/' + bound.port.id));
  }
}
[Service.desired, Service.identity, Service.config, Service.store, Service.commands, Service.metrics]
  .forEach((token, index) => use(token)(Isolated, undefined, index));
plugin({
  id: 'isolated', summary: 'Runs in a worker', sdk: '^1.0.0', onFailure: 'degrade',
  config: z.strictObject({ table: z.number().default(60) }),
  claims: [{ bridge: 'integration', tables: [60] }],
})(Isolated);
exports.Isolated = Isolated;
`;

const PRELUDE = `
globalThis.expect = undefined;
const { Kit, aPort, aRemoval } = require('@patchbay/testing');
const { plugin, use, Service, parseFlow } = require('@patchbay/sdk');
class Honest {
  constructor(desired) { this.desired = desired; }
  tap(hooks) {
    hooks.onPortAdded(({ port }) => this.desired.set('port/' + port.id, { flows: [parseFlow('br-int', 'table=61,priority=7 actions=drop')] }));
  }
}
use(Service.desired)(Honest, undefined, 0);
plugin({ id: 'honest', summary: 'Wires', sdk: '^1.0.0', onFailure: 'abort', claims: [{ bridge: 'integration', tables: [61] }] })(Honest);
const until = async (what, holds) => {
  for (let attempt = 0; attempt < 6000; attempt += 1) { if (await holds()) return; await new Promise((r) => setTimeout(r, 10)); }
  throw new Error('never: ' + what);
};
// Where nothing is to hang, a machine may be as slow as it likes.
const SLOW = { tapBudgetMs: 30_000, patienceMs: 30_000 };
const start = (options = {}, { tapBudgetMs, patienceMs } = SLOW) => Kit.start({
  plugins: [Honest], isolated: [{ file: require.resolve('./isolated.js'), options }], tapBudgetMs,
  workerSettings: { pingMs: 50, patienceMs, restartMs: [20, 100] },
});
const wants = (kit) => kit.wantedFlows('br-int', 'isolated').length;
const level = (kit) => kit.health('isolated').level;
const named = (name) => aPort({ id: 'port-1', port: { name } });
`;

let scripts: OutsideScripts;
const outcome = (body: string) => scripts.outcome(body);

beforeAll(() => {
  scripts = new OutsideScripts({ 'isolated.js': PLUGIN }, PRELUDE);
});

afterAll(() => scripts.remove());

describe('a plugin with isolation: worker', () => {
  it('has the same interface as in the main thread', async () => {
    const body = `
      const kit = await start();
      const added = await kit.fire.onPortAdded(aPort({ id: 'port-1' }));
      const flows = await kit.installedFlows('br-int', 'isolated');
      const resolved = await kit.fire.resolveTunnelPort({ endpoint: { tunnelType: 'vxlan', ipAddress: '192.0.2.2' } });
      const command = await kit.kernel.commands.run('isolated', 'thread', ['hello']);
      const counted = (await kit.metrics()).includes('patchbay_isolated_seen_total 1');
      await kit.fire.onPortRemoved(aRemoval({ id: 'port-1' }));
      const left = wants(kit);
      await kit.stop();
      return { keys: added.keys.map(({ plugin }) => plugin).sort(), flows: flows.length, resolved: resolved.value, command, counted, left };`;
    expect(await outcome(body)).toEqual({
      keys: ['honest', 'isolated'],
      flows: 1,
      resolved: 'vxlan-port-1',
      command: { word: 'hello', isMainThread: false },
      counted: true,
      left: 0,
    });
  });

  it.each(['loop', 'crash'])('may %s: others’ ports come up, health names it, and it is started again', async (how) => {
    const body = `
      const kit = await start({}, { tapBudgetMs: 2000, patienceMs: 5000 });
      await kit.fire.onPortAdded(aPort({ id: 'port-0' }));
      const before = wants(kit);
      await kit.fire.onPortAdded(named('${how}'));
      const honest = (await kit.installedFlows('br-int', 'honest')).length;
      await until('it is missed', () => kit.health('isolated').conditions.some(({ condition }) => condition === 'worker'));
      const detail = kit.health('isolated').conditions.find(({ condition }) => condition === 'worker').detail;
      const meanwhile = wants(kit);
      await until('it is back', () => !kit.health('isolated').conditions.some(({ condition }) => condition === 'worker'));
      await kit.fire.onPortAdded(aPort({ id: 'port-2' }));
      const after = [...kit.wants('isolated').keys()].sort();
      await kit.stop();
      return { before, honest, detail, kept: meanwhile >= before, after: after.includes('port/port-2') };`;
    expect(await outcome(body)).toEqual({
      before: 1,
      honest: 1,
      detail: expect.stringMatching(how === 'loop' ? /gave no sign of life/ : /it fell over/),
      kept: true,
      after: true,
    });
  });

  it.each(['throw', 'hang'])('may %s in a tap, as in the main thread', async (how) => {
    const body = `
      const kit = await start({}, { ...SLOW, tapBudgetMs: 300 });
      const { failures } = await kit.fire.onPortAdded(named('${how}'));
      const result = { failed: failures.map(({ plugin }) => plugin), level: level(kit), wants: wants(kit) };
      await kit.stop();
      return result;`;
    expect(await outcome(body)).toEqual({ failed: ['isolated'], level: 'degraded', wants: 0 });
  });

  it('is held to its claims', async () => {
    const body = `
      const kit = await start({ table: 61 });
      await kit.fire.onPortAdded(aPort());
      const result = { wants: wants(kit), detail: kit.health('isolated').conditions[0].detail };
      await kit.stop();
      return result;`;
    expect(await outcome(body)).toEqual({ wants: 0, detail: expect.stringContaining('PB-CLAIM-VIOLATED') });
  });
});
