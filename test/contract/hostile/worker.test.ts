import { OutsideScripts } from '../../support/outside-scripts';

jest.setTimeout(180_000);

const PLUGIN = `
require('reflect-metadata');
const { plugin, use, Service, parseFlow } = require('@patchbay/sdk');
const { z } = require('zod');
const drop = (table = 61, priority = 7) => parseFlow('br-int', 'table=' + table + ',priority=' + priority + ' actions=drop');
class Isolated {
  constructor(desired, config, logger, health, jobs) { Object.assign(this, { desired, config, logger, health, jobs }); }
  tap(hooks) {
    hooks.onPortAdded(({ port }) => {
      if (port.name === 'go') return this[this.config.how]?.();
      this.desired.set('port/' + port.id, { flows: [drop()] });
    });
  }
  start() {
    setInterval(() => { const { todo } = this; this.todo = undefined; todo?.(); }, 5);
    if (this.config.how === 'startLoop') for (;;);
    if (this.config.how === 'startFails') {
      this.jobs.every('at it', 20, () => this.desired.set('stated by one who failed', { flows: [drop()] }));
      throw new Error('no');
    }
  }
  // Outside of taps.
  refusals() { this.todo = () => { for (let n = 0; n < 150; n += 1) this.desired.set('key ' + n, { flows: [drop(60)] }); }; }
  nothing() { this.todo = () => this.desired.set('key', undefined); }
  throwsNull() { this.todo = () => { throw null; }; }
  postsNull() { this.todo = () => require('node:worker_threads').parentPort.postMessage(null); }
  later() { setTimeout(() => this.desired.set('later', { flows: [drop()] }), 50); }
  logs() { for (;;) this.logger.info('again', { text: 'x'.repeat(200) }); }
  conditions() { this.todo = () => { for (let n = 0; n < 6000; n += 1) this.health.report('port ' + n, 'degraded', 'x'); }; }
  buffers() { const kept = []; this.todo = () => setInterval(() => { for (let n = 0; n < 5; n += 1) kept.push(Buffer.alloc(20e6, 1)); }, 20); }
  logsFunction() { this.todo = () => { this.logger.info('a function', { done: () => undefined }); this.desired.set('after the log', { flows: [drop()] }); }; }
}
[Service.desired, Service.config, Service.logger, Service.health, Service.jobs].forEach((token, index) => use(token)(Isolated, undefined, index));
plugin({ id: 'isolated', summary: 'W', sdk: '^1.0.0', onFailure: 'degrade', config: z.strictObject({ how: z.string() }),
  claims: [{ bridge: 'integration', tables: [61] }] })(Isolated);
exports.Isolated = Isolated;
`;

const PRELUDE = `
globalThis.expect = undefined;
const { Kit, aPort } = require('@patchbay/testing');
const { plugin, use, Service, parseFlow } = require('@patchbay/sdk');
// As core/cli/stray-errors.ts: an exception here is the end of the agent.
const uncaught = [];
process.on('uncaughtException', (error) => uncaught.push(String(error && error.message)));
class Honest {
  constructor(desired) { this.desired = desired; }
  tap(hooks) { hooks.onPortAdded(({ port }) => this.desired.set('port/' + port.id, { flows: [parseFlow('br-int', 'table=60,priority=7,reg5=' + port.id + ' actions=drop')] })); }
}
use(Service.desired)(Honest, undefined, 0);
plugin({ id: 'honest', summary: 'Wires', sdk: '^1.0.0', onFailure: 'abort', claims: [{ bridge: 'integration', tables: [60] }] })(Honest);
const until = async (isSo) => { while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10)); };
/** Answers and ends: a worker that goes on need not be waited for. */
const leave = (value) => { process.stdout.write('\\n' + JSON.stringify(value) + '\\n'); process.exit(0); };
const start = (how, more) => Kit.start({ ...more, plugins: [Honest], isolated: [{ file: require.resolve('./isolated.js'), options: { how } }], tapBudgetMs: 500,
  workerSettings: { pingMs: 200, patienceMs: 3000, restartMs: [20, 100] } });
const go = (kit) => kit.fire.onPortAdded(aPort({ id: '1', port: { name: 'go' } }));
`;

let scripts: OutsideScripts;
beforeAll(() => {
  scripts = new OutsideScripts({ 'isolated.js': PLUGIN }, PRELUDE);
});
afterAll(() => scripts.remove());

describe('a plugin in a worker', () => {
  it.each(['refusals', 'nothing', 'throwsNull', 'postsNull'])('does not end the agent: %s', async (how) => {
    const body = `const kit = await start('${how}'); await go(kit);
      await until(() => kit.health('isolated').conditions.length > 0);
      await kit.fire.onPortAdded(aPort({ id: '2' })); await kit.stop(); return uncaught;`;
    expect(await scripts.outcome(body)).toEqual([]);
  });

  it.each([
    ['states by a timer that a tap started', 'later', 'later'],
    ['may log what does not cross a thread', 'logsFunction', 'after the log'],
  ])('%s, as in the main thread', async (_what, how, key) => {
    const body = `const kit = await start('${how}'); await go(kit);
      await until(() => kit.wants('isolated').has('${key}')); await kit.stop(); return true;`;
    expect(await scripts.outcome(body)).toBe(true);
  });

  it('that logs without end waits for the main thread, instead of filling its memory', async () => {
    const body = `
      const kit = await start('logs'); await go(kit);
      const { lines } = kit.log; let heard = 0; lines.push = () => ++heard;
      for (const end = performance.now() + 500; performance.now() < end; );
      await new Promise(setImmediate);
      return leave(heard < 5_000 || heard);`;
    expect(await scripts.outcome(body)).toBe(true);
  });

  it('that reports conditions without end has some of them, and others’ ports come up', async () => {
    const body = `
      const kit = await start('conditions'); await go(kit);
      await until(() => kit.health('isolated').conditions.some(({ condition }) => condition === 'more conditions'));
      await kit.fire.onPortAdded(aPort({ id: '2' }));
      const { length } = kit.health('isolated').conditions;
      return leave([length < 600, kit.wants('honest').has('port/2')]);`;
    expect(await scripts.outcome(body)).toEqual([true, true]);
  });

  it('that keeps buffers without end is ended, and named', async () => {
    const body = `
      const kit = await start('buffers'); await go(kit);
      await until(() => kit.health('isolated').conditions.some(({ detail }) => /MB of buffers/.test(detail)));
      return leave(true);`;
    expect(await scripts.outcome(body)).toBe(true);
  });

  it('that failed to start is at work no longer', async () => {
    const body = `const kit = await start('startFails'); const keys = () => kit.wants('isolated').size;
      await until(() => kit.health('isolated').level === 'failing');
      const before = keys(); await new Promise((resolve) => setTimeout(resolve, 200)); return leave([before, keys()]);`;
    expect(await scripts.outcome(body)).toEqual([0, 0]);
  });

  it('that loops in start() is ended', async () => {
    const body = `
      const kit = await start('startLoop', { lifecycleSettings: { startBudgetMs: 300 } });
      const isBusy = async () => { const before = process.cpuUsage(); await new Promise((resolve) => setTimeout(resolve, 200)); return process.cpuUsage(before).user > 100_000; };
      for (let n = 0; n < 600 && (await isBusy()); n += 1);
      return leave(!(await isBusy()));`;
    expect(await scripts.outcome(body)).toBe(true);
  });
});
