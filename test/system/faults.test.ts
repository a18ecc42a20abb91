import { FAULTS } from '../faults/catalogue';
import type { Fault } from '../faults/fault';
import { type Measurement, Stage } from '../faults/stage';
import { UnderlayPings } from '../support/bed-losses';

/** Every wait of the stage has a limit of its own, and says what it waited for; this one is above them all. */
jest.setTimeout(1_200_000);

/**
 * The short form of test/faults/run: loss and recovery alone, of what is quick. An edit of the switch is also to be counted and logged, with
 * whose it was.
 */
const SHORT = [
  'none (control)',
  'agent SIGTERM, started again',
  'agent SIGKILL, started again after a port was unplugged',
  'ovs-vswitchd killed, started again',
  'br-tun deleted',
  'a translation flow deleted by hand',
  'a translation flow changed by hand',
  'a dropping flow added by hand',
  'every flow of br-int deleted by hand',
  'the peer of the provider uplink edited',
  'the other end of a tunnel edited',
  'a flow added, one deleted and a row edited by hand, where drift is only reported',
  'a port whose device is not there, another plugged beside it; then it is',
  'a rule of the security group added, and removed',
  'broker killed, started again',
  'every push of the server told twice, and all once more in reverse order',
  'pushes lost, then the connections to the broker',
];

/** The agent came back and changed nothing. */
const UNTOUCHED = ['agent SIGTERM, started again'];

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

const hasLost = ({ outcome: { ping, udp, tcp } }: Measurement): boolean => ping.lost + udp.lost + tcp.lost > 0;

/** What loses packets on a machine that loses some beside it, or without any fault, says nothing of the fault, and is measured again. */
async function measured(name: string): Promise<Measurement> {
  const { run, bar } = fault(name);
  for (let attempts = 0; attempts < 3; attempts++) {
    const beside = await UnderlayPings.start(stage.bed);
    const result = await run(stage, 'patchbay');
    const lostBeside = await beside.stop();
    if (bar !== 0 || !hasLost(result)) return result;
    if (lostBeside === 0 && !hasLost(await fault('none (control)').run(stage, 'patchbay'))) return result;
  }
  throw new Error('this machine loses packets without any fault');
}

function expectNoneLost({ outcome: { ping, udp, tcp } }: Measurement): void {
  expect({ ping: ping.lost, udp: udp.lost, tcp: tcp.lost }).toEqual({ ping: 0, udp: 0, tcp: 0 });
}

describe('under traffic between two hosts, Patchbay', () => {
  beforeAll(() => stage.set('patchbay'));

  test.each(SHORT)('%s: recovers by itself, and the connection stands', async (name) => {
    const result = await measured(name);

    expect(result).toMatchObject({ recovered: true, detail: '' });
    expect(result.outcome.tcp.broken).toBe('');
    if (fault(name).bar === 0) expectNoneLost(result);
    if (UNTOUCHED.includes(name)) expect(result.flowsChanged).toBe(0);
  });
});

describe('a host of the reference agent', () => {
  beforeAll(() => stage.set('reference'));

  test('is taken over without a packet lost', async () => {
    const result = await measured('taken over from the reference agent');

    expect(result).toMatchObject({ recovered: true, detail: '' });
    expectNoneLost(result);
  });

  test('and given back without a packet lost', async () => {
    const result = await measured('given back to the reference agent');

    expect(result).toMatchObject({ recovered: true, detail: '' });
    expectNoneLost(result);
  });
});
