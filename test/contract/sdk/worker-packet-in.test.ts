import { OutsideScripts } from '../../support/outside-scripts';

jest.setTimeout(120_000);

/** Has its own flow send packets up, and says what it was told of them. */
const PLUGIN = `
require('reflect-metadata');
const { plugin, use, Service, flow, resubmit, toController } = require('@patchbay/sdk');
class Echo {
  constructor(tables, desired, packetIns, effects, commands) {
    Object.assign(this, { table: tables.echo, desired, packetIns });
    this.heard = [];
    commands.add({ name: 'heard', summary: 'What was heard' }, () => ({
      heard: this.heard, isMainThread: require('node:worker_threads').isMainThread,
    }));
    commands.add({ name: 'send', summary: 'Sends a frame through its table' }, async ([inPort]) => {
      const bytes = Uint8Array.from([...Buffer.from('ffffffffffff020000000001080600', 'hex'), ...Array(45).fill(7)]);
      await effects.packetOut({ bridge: 'br-int', inPort: { port: inPort }, actions: [resubmit(this.table)], bytes });
      return 'sent';
    });
  }
  start() {
    this.desired.set('echo', { flows: [flow({ bridge: 'br-int', table: this.table, priority: 1, actions: [toController()] })] });
    this.packetIns.subscribe({ bridge: 'br-int', table: this.table }, ({ inPort, table, bytes }) => {
      this.heard.push({ inPort, table, length: bytes.length, last: bytes.at(-1) });
    });
  }
}
[Service.tables, Service.desired, Service.packetIns, Service.effects, Service.commands]
  .forEach((token, index) => use(token)(Echo, undefined, index));
plugin({
  id: 'acme-echo', summary: 'Hears what its own flow sends up', sdk: '^1.0.0', onFailure: 'degrade',
  tables: [{ bridge: 'integration', name: 'echo' }],
})(Echo);
exports.Echo = Echo;
`;

const PRELUDE = `
globalThis.expect = undefined;
const { Kit } = require('@patchbay/testing');
const { plugin } = require('@patchbay/sdk');
class Quiet {}
plugin({ id: 'quiet', summary: 'Does nothing', sdk: '^1.0.0', onFailure: 'degrade' })(Quiet);
`;

let scripts: OutsideScripts;

beforeAll(() => {
  scripts = new OutsideScripts({ 'echo.js': PLUGIN }, PRELUDE);
});

afterAll(() => scripts.remove());

it('a packet that a flow of a plugin in a worker sends up on a real Open vSwitch is told to it there', async () => {
  const body = `
    const kit = await Kit.start({ plugins: [Quiet], isolated: [{ file: require.resolve('./echo.js') }], switch: 'ovs' });
    const command = (name, ...words) => kit.kernel.commands.run('acme-echo', name, words);
    await kit.plug({ name: 'tap1' });
    await command('send', 'tap1');
    let answer = await command('heard');
    for (let attempt = 0; attempt < 3_000 && answer.heard.length === 0; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      answer = await command('heard');
    }
    await kit.stop();
    return answer;`;
  expect(await scripts.outcome(body)).toEqual({
    heard: [{ inPort: 'tap1', table: 100, length: 60, last: 7 }],
    isMainThread: false,
  });
});
