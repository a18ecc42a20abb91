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
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const start = (how) => Kit.start({ plugins: [Honest], isolated: [{ file: require.resolve('./isolated.js'), options: { how } }], tapBudgetMs: 500,
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
    const body = `const kit = await start('${how}'); await go(kit); await sleep(700); await kit.stop(); return uncaught.slice(0, 1);`;
    expect(await scripts.outcome(body)).toEqual([]);
  });

  it('states by a timer that a tap started, as in the main thread', async () => {
    const body = `const kit = await start('later'); await go(kit); await sleep(500); const keys = [...kit.wants('isolated').keys()]; await kit.stop(); return keys;`;
    expect(await scripts.outcome(body)).toEqual(['later']);
  });

  it('may log what does not cross a thread, as in the main thread', async () => {
    const body = `const kit = await start('logsFunction'); await go(kit); await sleep(500); const keys = [...kit.wants('isolated').keys()]; await kit.stop(); return keys;`;
    expect(await scripts.outcome(body)).toEqual(['after the log']);
  });

  it.each(['logs', 'conditions'])('does not hold the main thread up: %s', async (how) => {
    const body = `
      const kit = await start('${how}');
      let late = 0; let last = performance.now();
      setInterval(() => { const now = performance.now(); late = Math.max(late, now - last - 20); last = now; }, 20);
      const { lines } = kit.log; lines.push = () => { for (const end = performance.now() + 0.02; performance.now() < end; ); return 0; };
      await go(kit);
      const began = performance.now();
      await kit.fire.onPortAdded(aPort({ id: '2' }));
      await sleep(Math.max(0, 3500 - (performance.now() - began)));
      const result = { secondPortBelow3s: performance.now() - began < 6500, lateBelow1s: late < 1000 || late };
      process.stdout.write('\\n' + JSON.stringify(result) + '\\n'); process.exit(0);`;
    expect(await scripts.outcome(body)).toEqual({ secondPortBelow3s: true, lateBelow1s: true });
  });

  it('may not fill the memory with buffers either', async () => {
    const body = `
      const kit = await start('buffers'); await go(kit); let most = 0;
      for (let n = 0; n < 100 && most < 2.5e9; n += 1) { await sleep(50); most = Math.max(most, process.memoryUsage().rss); }
      process.stdout.write('\\n' + JSON.stringify(most < 1.5e9) + '\\n'); process.exit(0);`;
    expect(await scripts.outcome(body)).toBe(true);
  });

  it('that failed to start is at work no longer', async () => {
    const body = `const kit = await start('startFails'); await sleep(500); const keys = [...kit.wants('isolated').keys()]; await kit.stop(); return keys;`;
    expect(await scripts.outcome(body)).toEqual([]);
  });

  it('that loops in start() is ended', async () => {
    const body = `
      const kit = await start('startLoop'); const before = process.cpuUsage(); await sleep(2000);
      const { user } = process.cpuUsage(before); process.stdout.write('\\n' + JSON.stringify(user < 1e6) + '\\n'); process.exit(0);`;
    expect(await scripts.outcome(body)).toBe(true);
  });
});
