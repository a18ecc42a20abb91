import { OutsideScripts } from '../../support/outside-scripts';

jest.setTimeout(120_000);

/** Uses every service that has its own way over a thread's border; `ask` is how the test reaches into it. */
const PLUGIN = `
require('reflect-metadata');
const { plugin, use, Service, parseFlow, providedToken, refuse, toController } = require('@patchbay/sdk');
const { z } = require('zod');
const flows = { flows: [parseFlow('br-int', 'table=60,priority=7 actions=drop')] };
class Everything {
  constructor(desired, announcer, messaging, rpc, commands, packetIns, numbers, tables, jobs, health, controlPlane, effects, synchronisation) {
    Object.assign(this, { desired, announcer, messaging, rpc, packetIns, numbers, tables, jobs, health, controlPlane, effects });
    this.heard = [];
    this.listeners = new Set();
    synchronisation.onRequested((reason) => this.heard.push(['requested', reason]));
    commands.add({ name: 'ask', summary: 'What the test asks' }, (words) => this.ask(...words));
  }
  provide(provide) {
    provide(providedToken('clock'), {
      now: async () => 'noon',
      twice: async (number) => number * 2,
      fail: async () => { throw Object.assign(new Error('out of order'), { code: 'ACME-1' }); },
      onTick: (listener) => { this.listeners.add(listener); return () => this.listeners.delete(listener); },
    });
  }
  tap(hooks) {
    hooks.beforePortBind((draft) => draft.port.name === 'refused' ? refuse('not here') : { ...draft, port: { ...draft.port, name: 'changed' } });
    hooks.onPortAdded(async ({ port }) => { if (port.name === 'crash') process.exit(3); });
    hooks.resolveLocalVlan(() => 77);
    hooks.onReportState(() => ({ configurations: { everything: 'here' } }));
  }
  start() {
    this.rpc.listen({ topic: 'acme' }, { ping: ({ word }) => { this.heard.push(['acme', word]); return 'pong ' + word; } });
    this.rpc.watchObjects('Thing', '1.0', ({ objects }) => this.heard.push(['Thing', objects.length]));
    this.controlPlane.subscribe((change) => this.heard.push(['change', change.kind]));
    this.packetIns.subscribe({ bridge: 'br-int' }, ({ bytes, table }) => this.heard.push(['packet', table, bytes.length]));
    this.announcer.onProgress(({ plugin, key }) => this.heard.push(['progress', plugin, key]));
    this.jobs.after('once', 0, () => this.desired.set('from a job', flows));
  }
  async ask(what) {
    switch (what) {
      case 'heard': return this.heard;
      case 'tick': for (const listener of this.listeners) await listener('tick'); return 'told ' + this.listeners.size;
      case 'call': return [await this.rpc.call({ topic: 'server' }, 'get', { a: 1 })];
      case 'abort': {
        const end = new AbortController();
        end.abort();
        await this.rpc.call({ topic: 'server' }, 'get', { a: 1 }, { signal: end.signal });
        return 'called';
      }
      case 'event': {
        const outcome = await this.announcer.event('by hand', async (calls) => {
          const told = await calls.tell('onNetworkDeleted', { networkId: 'n' });
          const report = await calls.reportState({ devices: 1 });
          this.desired.set('in an event', flows);
          return { failures: told.failures.length, report: report.configurations };
        });
        const keys = (await outcome.acknowledged()).map(({ plugin, key, progress }) => [plugin, key, progress.state]).sort();
        return { value: outcome.value, keys };
      }
      case 'dropped': {
        try {
          await this.announcer.event('by hand', async () => {
            this.desired.set('dropped', flows);
            throw new Error('thought better of it');
          });
        } catch (error) { return [error.message]; }
        return [];
      }
      case 'connect': {
        const connection = this.messaging.connect({ transportUrl: 'rabbit://here' });
        connection.open();
        return [await connection.call({ topic: 'server' }, 'get', { b: 2 }), (await connection.state()).connected];
      }
      case 'follow': {
        const before = await this.rpc.objects.load('Policy', ['q1']).catch(({ code }) => code);
        this.unfollow = this.rpc.objects.follow('Policy', { version: '1.0', by: ['name'] }, ({ id, current }) => { this.heard.push(['Policy', id, current.colour]); });
        return [before, await this.rpc.objects.find('Policy', 'name', 'gold')];
      }
      case 'unfollow': this.unfollow(); return [await this.rpc.objects.load('Policy', ['q1']).catch(({ code }) => code)];
      case 'number': return [await this.numbers.allot('meter', 'br-int', 'm'), this.tables.own];
      case 'twice': this.jobs.after('again', 0, () => { throw new Error('later'); }); return 'begun';
    }
  }
}
[Service.desired, Service.announcer, Service.messaging, Service.rpc, Service.commands, Service.packetIns, Service.numbers, Service.tables, Service.jobs, Service.health, Service.controlPlane, Service.effects, Service.synchronisation]
  .forEach((token, index) => use(token)(Everything, undefined, index));
plugin({
  id: 'everything', summary: 'Uses all there is', sdk: '^1.0.0', onFailure: 'degrade', requires: [Service.rpc],
  config: z.strictObject({ word: z.string().default('none') }),
  provides: [providedToken('clock')], tables: [{ bridge: 'integration', name: 'own' }],
  claims: [{ bridge: 'integration', tables: [60] }],
})(Everything);
exports.Everything = Everything;
`;

const PRELUDE = `
globalThis.expect = undefined;
const { Kit, aPort } = require('@patchbay/testing');
const { plugin, use, Service, parseFlow, providedToken } = require('@patchbay/sdk');
const ticks = [];
let clock;
class Neighbour {
  constructor(desired, given) { this.desired = desired; clock = given; }
  tap(hooks) {
    hooks.onNetworkDeleted(() => this.desired.set('updated', { flows: [parseFlow('br-int', 'table=61,priority=7 actions=drop')] }));
  }
  start() { clock.onTick((tick) => { ticks.push(tick); }); }
}
use(Service.desired)(Neighbour, undefined, 0);
use(providedToken('clock'))(Neighbour, undefined, 1);
plugin({ id: 'neighbour', summary: 'Has the clock', sdk: '^1.0.0', onFailure: 'abort', requires: [providedToken('clock')],
  claims: [{ bridge: 'integration', tables: [61] }] })(Neighbour);
const until = async (what, holds) => {
  for (let attempt = 0; attempt < 6000; attempt += 1) { if (await holds()) return; await new Promise((r) => setTimeout(r, 10)); }
  throw new Error('never: ' + what);
};
const start = (options = {}) => Kit.start({
  plugins: [Neighbour], isolated: [{ file: require.resolve('./everything.js'), options }], tapBudgetMs: 30_000,
  workerSettings: { pingMs: 50, patienceMs: 30_000, restartMs: [20, 100] },
  prepare: (kit) => { kit.rpc.answers.set('get', (args) => ({ got: args })); },
});
const ask = (kit, word) => kit.kernel.commands.run('everything', 'ask', [word]);
`;

let scripts: OutsideScripts;
const outcome = (body: string) => scripts.outcome(body);

beforeAll(() => {
  scripts = new OutsideScripts(
    {
      'everything.js': PLUGIN,
      'loops.js': 'for (;;);',
      'loose.js': PLUGIN.replace('^1.0.0', '^9.0.0'),
    },
    PRELUDE,
  );
});

afterAll(() => scripts.remove());

describe('in a worker', () => {
  it('hooks answer: a draft is changed or refused, a question answered, a report contributed to', async () => {
    const body = `
      const kit = await start();
      const draft = (name) => ({ port: aPort({ port: { name } }).port, vif: aPort().vif, segment: aPort().segment });
      const changed = await kit.fire.beforePortBind(draft('any'));
      const refused = await kit.fire.beforePortBind(draft('refused'));
      const vlan = await kit.fire.resolveLocalVlan({ segment: aPort().segment, vif: aPort().vif });
      const report = await kit.fire.onReportState({ devices: 0 });
      await kit.stop();
      return { changed: changed.value.port.name, refused: refused.value, vlan: vlan.value, report: report.value };`;
    expect(await outcome(body)).toEqual({
      changed: 'changed',
      refused: { refused: 'not here', by: 'everything' },
      vlan: 77,
      report: { configurations: { everything: 'here' } },
    });
  });

  it('messages come and go: a topic of its own, pushed objects, calls, changes of the control plane, packets', async () => {
    const body = `
      const kit = await start();
      await until('it listens', () => kit.rpc.notify('acme', 'ping', { word: 'x' }).then(() => true, () => false));
      const answer = await kit.rpc.notify('acme', 'ping', { word: 'y' });
      kit.rpc.push('Thing', 'updated', { id: '1' }, { id: '2' });
      kit.controlPlane.change({ kind: 'network-changed', networkId: 'n', cause: 'test' });
      kit.kernel.synchronisation.request('the test');
      const call = await ask(kit, 'call');
      const connected = await ask(kit, 'connect');
      const numbers = await ask(kit, 'number');
      const aborted = await ask(kit, 'abort');
      const heard = await ask(kit, 'heard');
      await kit.stop();
      return { answer, call, connected, numbers, aborted, heard: heard.filter(([what]) => what !== 'progress') };`;
    expect(await outcome(body)).toEqual({
      answer: 'pong y',
      call: [{ got: { a: 1 } }],
      connected: [{ got: { b: 2 } }, true],
      numbers: [20000, 100],
      aborted: 'called',
      heard: [
        ['acme', 'x'],
        ['acme', 'y'],
        ['Thing', 2],
        ['change', 'network-changed'],
        ['requested', 'the test'],
      ],
    });
  });

  it('types of the server’s objects are followed, found and let go', async () => {
    const body = `
      const kit = await start();
      kit.rpc.objects.all.set('Policy', [{ id: 'q1', name: 'gold' }, { id: 'q2', name: 'silver' }]);
      const followed = await ask(kit, 'follow');
      kit.rpc.push('Policy', 'updated', { id: 'q1', name: 'gold', colour: 'yellow' }, { id: 'q2', name: 'silver', colour: 'grey' });
      const versions = await kit.rpc.objects.versions();
      const heard = await ask(kit, 'heard');
      const unfollowed = await ask(kit, 'unfollow');
      await kit.stop();
      return { followed, version: versions.Policy, unfollowed, heard: heard.filter(([what]) => what === 'Policy') };`;
    expect(await outcome(body)).toEqual({
      followed: ['PB-OBJECT-NOT-FOLLOWED', [{ id: 'q1', name: 'gold' }]],
      version: '1.0',
      unfollowed: ['PB-OBJECT-NOT-FOLLOWED'],
      heard: [['Policy', 'q1', 'yellow']],
    });
  });

  it('the announcer’s event is one unit: hooks are called in it, what is stated leaves with it, or not at all', async () => {
    const body = `
      const kit = await start();
      const event = await ask(kit, 'event');
      const dropped = await ask(kit, 'dropped');
      await until('the job', () => kit.wants('everything').has('from a job'));
      const keys = [...kit.wants('everything').keys()].sort();
      const heard = await ask(kit, 'heard');
      await kit.stop();
      return { event, dropped, keys, told: heard.some(([what]) => what === 'progress') };`;
    expect(await outcome(body)).toEqual({
      event: {
        value: { failures: 0, report: { everything: 'here' } },
        keys: [
          ['everything', 'in an event', 'applied'],
          ['neighbour', 'updated', 'applied'],
        ],
      },
      dropped: ['thought better of it'],
      keys: ['from a job', 'in an event'],
      told: expect.any(Boolean),
    });
  });

  it('services are provided to others, and go on with their subscriptions after a crash', async () => {
    const body = `
      const kit = await start();
      const answers = [await clock.now(), await clock.twice(21)];
      const failure = await clock.fail().catch((error) => [error.message, error.code]);
      const first = await ask(kit, 'tick');
      await kit.fire.onPortAdded(aPort({ port: { name: 'crash' } }));
      const gone = await clock.now().catch((error) => error.code);
      await until('it is back', () => clock.now().then(() => true, () => false));
      await until('it is told', async () => (await ask(kit, 'tick')) === 'told 1');
      await kit.stop();
      return { answers, failure, first, gone, ticks: ticks.length >= 2 };`;
    expect(await outcome(body)).toEqual({
      answers: ['noon', 42],
      failure: ['out of order', 'ACME-1'],
      first: 'told 1',
      gone: 'PB-WORKER-LOST',
      ticks: true,
    });
  });

  it('a module is loaded there alone: one that loops at its top is named, and nothing here stands still', async () => {
    const body = `
      const { describeInWorker } = require('@patchbay/agent/testing');
      let turns = 0;
      const timer = setInterval(() => { turns += 1; }, 20);
      const entry = { name: 'loops', options: {}, from: 'here', isolation: 'worker' };
      const error = await describeInWorker(require.resolve('./loops.js'), entry, 500).catch(({ message }) => message);
      clearInterval(timer);
      return { error, alive: turns > 0, here: require.cache[require.resolve('./loops.js')] === undefined };`;
    expect(await outcome(body)).toEqual({
      error: 'it was not loaded after 500 ms: does it loop, or wait for something?',
      alive: true,
      here: true,
    });
  });

  it('a manifest and options are checked as in the main thread', async () => {
    const body = `
      const loose = await Kit.start({ plugins: [], isolated: [{ file: require.resolve('./loose.js') }] }).catch(({ code, message }) => ({ code, message }));
      const unknown = await start({ wrod: 'x' }).catch(({ code, message }) => ({ code, message }));
      return { loose: loose.code, unknown, loaded: Object.keys(require.cache).some((file) => /everything|loose/.test(file)) };`;
    expect(await outcome(body)).toEqual({
      loose: 'PB-SDK-MISMATCH',
      unknown: {
        code: 'PB-OPTION-UNKNOWN',
        message: expect.stringMatching(/everything: unknown option wrod .*did you mean word/),
      },
      loaded: false,
    });
  });
});
