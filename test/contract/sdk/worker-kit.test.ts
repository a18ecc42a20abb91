import { OutsideScripts } from '../../support/outside-scripts';

jest.setTimeout(120_000);

/** A package of two plugins, each of which states, at the priority of its options, what its server says late. */
const PACKAGE = `
require('reflect-metadata');
const { plugin, use, Service, parseFlow } = require('@patchbay/sdk');
const { z } = require('zod');
const make = (id, table) => {
  class Late {
    constructor(desired, rpc, jobs, config, commands) {
      Object.assign(this, { desired, rpc, jobs, config });
      commands.add({ name: 'thread', summary: 'Where it runs' }, () => require('node:worker_threads').isMainThread);
    }
    tap(hooks) {
      hooks.onPortAdded(({ port: { id } }) => {
        if (id === 'job') this.jobs.after('ask', 0, () => this.state(id));
        else void this.state(id);
      });
    }
    async state(id) {
      const port = await this.rpc.call({ topic: 'acme' }, 'port', { id });
      this.desired.set('port/' + id, { flows: [parseFlow('br-int', 'table=' + table + ',priority=' + this.config.priority + ',reg5=' + port + ' actions=drop')] });
    }
  }
  [Service.desired, Service.rpc, Service.jobs, Service.config, Service.commands].forEach((token, index) => use(token)(Late, undefined, index));
  plugin({ id, summary: 'States late', sdk: '^1.0.0', onFailure: 'degrade', config: z.strictObject({ priority: z.number() }),
    claims: [{ bridge: 'integration', tables: [table] }] })(Late);
  return Late;
};
exports.First = make('acme-first', 60);
exports.Second = make('acme-second', 61);
`;

const PRELUDE = `
globalThis.expect = undefined;
process.env.PATCHBAY_TEST_ISOLATION = 'worker';
const { Kit, aPort } = require('@patchbay/testing');
const { plugin } = require('@patchbay/sdk');
const { First, Second } = require('./index.js');
const start = (...plugins) => Kit.start({
  plugins, tapBudgetMs: 30_000, options: { 'acme-first': { priority: 7 }, 'acme-second': { priority: 8 } },
  prepare: ({ rpc }) => { rpc.delayMs = 20; rpc.answers.set('port', () => 5); },
});
const thread = (kit, id) => kit.kernel.commands.run(id, 'thread', []);
`;

let scripts: OutsideScripts;
const outcome = (body: string) => scripts.outcome(body);

beforeAll(() => {
  scripts = new OutsideScripts({ 'index.js': PACKAGE, 'package.json': '{"main":"index.js"}' }, PRELUDE);
});

afterAll(() => scripts.remove());

describe('a kit whose plugin under test runs in a worker', () => {
  it.each([
    'First',
    'Second',
  ])('takes %s from a package of two, with its own options, and the other in the main thread', async (one) => {
    const body = `
      const kit = await start(${one}, ${one === 'First' ? 'Second' : 'First'});
      await kit.fire.onPortAdded(aPort({ id: 'port-1' }));
      const of = async (id) => ({ flows: kit.wantedFlows('br-int', id).map(({ priority }) => priority), isMainThread: await thread(kit, id) });
      const result = { plugin: kit.plugin, first: await of('acme-first'), second: await of('acme-second') };
      await kit.stop();
      return result;`;
    expect(await outcome(body)).toEqual({
      plugin: one === 'First' ? 'acme-first' : 'acme-second',
      first: { flows: [7], isMainThread: one !== 'First' },
      second: { flows: [8], isMainThread: one !== 'Second' },
    });
  });

  it('is settled when what the plugin asks its server for, from a tap or a job, has been stated', async () => {
    const body = `
      const kit = await start(First);
      const wanted = [];
      for (const id of ['tap', 'job']) {
        await kit.fire.onPortAdded(aPort({ id }));
        wanted.push([...kit.wants().keys()]);
      }
      await kit.stop();
      return wanted;`;
    expect(await outcome(body)).toEqual([['port/tap'], ['port/tap', 'port/job']]);
  });

  it('rejects where the package has no such plugin, and says what it has', async () => {
    const body = `
      class Third {}
      plugin({ id: 'acme-third', summary: 'Nowhere', sdk: '^1.0.0', onFailure: 'degrade' })(Third);
      return start(Third).then(() => 'started', ({ message }) => message);`;
    expect(await outcome(body)).toMatch(/index\.js exports acme-first, acme-second, and not acme-third/);
  });

  it.each(['newer', 'older'])('runs a module that was built, and warns where a source is %s', async (age) => {
    const body = `
      const fs = require('node:fs');
      fs.mkdirSync('src', { recursive: true });
      fs.writeFileSync('src/plugin.ts', '');
      const at = new Date(Date.now() + ${age === 'newer' ? 3_600_000 : -3_600_000});
      fs.utimesSync('src/plugin.ts', at, at);
      const warnings = [];
      process.emitWarning = (_text, { code }) => warnings.push(code);
      const kit = await start(First);
      await kit.stop();
      return warnings;`;
    expect(await outcome(body)).toEqual(age === 'newer' ? ['PATCHBAY_OLD_BUILD'] : []);
  });
});
