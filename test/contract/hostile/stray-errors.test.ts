import { OutsideScripts } from '../../support/outside-scripts';

jest.setTimeout(180_000);

/** Careless in ways that no caller can catch; each `how` is a method. */
const MODULES = {
  'careless.js': `
const { EventEmitter } = require('node:events');
const { plugin, use, Service } = require('@patchbay/sdk');
class Careless {
  constructor(config, commands, jobs) { Object.assign(this, { config, jobs }); commands.add({ name: 'go', summary: 'Throws' }, () => { setTimeout(() => { throw new Error('of a command'); }, 1); return 'ok'; }); }
  tap(hooks) { hooks.onPortAdded((_port, { signal }) => this[globalThis.how]?.(signal)); }
  timer() { setTimeout(() => { throw new Error('of a timer'); }, 1); }
  emitter() { const one = new EventEmitter(); setImmediate(() => one.emit('error', new Error('of an emitter'))); }
  rejection() { Promise.resolve().then(() => { throw new Error('of a promise'); }); }
  noText() { setTimeout(() => { throw null; }, 1); }
  abort(signal) { signal.addEventListener('abort', () => { throw new Error('of a listener'); }); return new Promise(() => undefined); }
  job() { this.jobs.after('one', 1, () => { setTimeout(() => { throw new Error('of a job'); }, 1); }); }
}
[Service.config, Service.commands, Service.jobs].forEach((token, index) => use(token)(Careless, undefined, index));
plugin({ id: 'careless', summary: 'Throws', sdk: '^1.0.0', onFailure: 'degrade' })(Careless);
exports.Careless = Careless;
`,
};

const PRELUDE = `
globalThis.expect = undefined;
const { Kit, aPort } = require('@patchbay/testing');
const { Careless } = require('./careless.js');
const { plugin } = require('@patchbay/sdk');
class Other {}
plugin({ id: 'other', summary: 'Is not to blame', sdk: '^1.0.0', onFailure: 'degrade' })(Other);
const until = async (isSo) => { while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5)); };
const start = async (how) => {
  globalThis.how = how;
  const kit = await Kit.start({ plugins: [Other, Careless], tapBudgetMs: 50 });
  const contained = [];
  for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, (error) => contained.push(kit.kernel.blame(error)));
  return { kit, contained };
};
const named = (kit) => kit.health('careless').conditions.find(({ condition }) => condition === 'stray error')?.detail;
`;

let scripts: OutsideScripts;
beforeAll(() => {
  scripts = new OutsideScripts(MODULES, PRELUDE);
});
afterAll(() => scripts.remove());

describe('an error that a plugin lets go where nobody can catch it', () => {
  it.each([
    'timer',
    'emitter',
    'rejection',
    'noText',
    'abort',
    'job',
  ])('is its own, and the agent goes on: %s', async (how) => {
    const body = `const { kit, contained } = await start('${how}'); await kit.fire.onPortAdded(aPort());
      await until(() => contained.length > 0); const result = [contained, /^PB-STRAY-ERROR: careless/.test(named(kit)), kit.health('other').level]; await kit.stop(); return result;`;
    expect(await scripts.outcome(body)).toEqual([[true], true, 'ok']);
  });

  it('is its own where a command of its set it off', async () => {
    const body = `const { kit, contained } = await start('none'); await kit.kernel.commands.run('careless', 'go', []);
      await until(() => contained.length > 0); await kit.stop(); return contained;`;
    expect(await scripts.outcome(body)).toEqual([true]);
  });

  it('is nobody’s where no plugin’s code is at work', async () => {
    const body = `const { kit, contained } = await start('none'); setTimeout(() => { throw new Error('of the agent'); }, 1);
      await until(() => contained.length > 0); const detail = named(kit) ?? null; await kit.stop(); return [contained, detail];`;
    expect(await scripts.outcome(body)).toEqual([[false], null]);
  });
});
