import { FAULTS } from '../faults/catalogue';
import type { Fault } from '../faults/fault';
import { type Measurement, Stage } from '../faults/stage';

jest.setTimeout(150_000);

/** The short form of test/faults/run: loss and recovery alone, for what is quick and what must lose nothing. */
const SHORT = [
  'none (control)',
  'agent SIGKILL, started again',
  'ovs-vswitchd killed, started again',
  'br-tun deleted',
  'a translation flow deleted by hand',
  'every flow of br-int deleted by hand',
  'the peer of the provider uplink edited',
];

const fault = (name: string): Fault => {
  const found = FAULTS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no fault "${name}"`);
  return found;
};

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

function expectNoneLost({ outcome: { ping, udp, tcp } }: Measurement): void {
  expect({ ping: ping.lost, udp: udp.lost, tcp: tcp.broken }).toEqual({ ping: 0, udp: 0, tcp: '' });
}

describe('under traffic between two hosts, Patchbay', () => {
  beforeAll(() => stage.set('patchbay'));

  test.each(SHORT)('%s: recovers by itself, and the connection stands', async (name) => {
    const { run, bar } = fault(name);

    const measured = await run(stage, 'patchbay');

    expect(measured).toMatchObject({ recovered: true, detail: '' });
    expect(measured.outcome.tcp.broken).toBe('');
    if (bar === 0) expectNoneLost(measured);
    if (name.startsWith('agent')) expect(measured.flowsChanged).toBe(0);
  });
});

describe('a host of the reference agent', () => {
  beforeAll(() => stage.set('reference'));

  test('is taken over without a packet lost', async () => {
    expectNoneLost(await fault('taken over from the reference agent').run(stage, 'reference'));
  });

  test('and given back without a packet lost', async () => {
    expectNoneLost(await fault('given back to the reference agent').run(stage, 'reference'));
  });
});
