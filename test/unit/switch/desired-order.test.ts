import type { DesiredRecords, KeyProgress } from '@patchbay/sdk';
import { nextOrder } from '../../../core/kernel/desired-port';
import { DesiredKeys } from '../../../core/switch/desired-store';

const records = (port: string): DesiredRecords => ({
  gates: [{ bridge: 'br-int', port, subject: 'p1' }],
});

function store(): DesiredKeys {
  return new DesiredKeys({ changed: () => {}, completed: () => {}, retired: () => {} });
}

describe('two events that state one key', () => {
  it('come to what was stated last, whichever leaves first', () => {
    const keys = store();
    const earlier = nextOrder();
    const later = nextOrder();
    keys.apply([{ plugin: 'a', key: 'port/p1', records: records('new'), order: later }], 'second');
    keys.apply([{ plugin: 'a', key: 'port/p1', records: records('old'), order: earlier }], 'first');
    expect(keys.entry('a', 'port/p1')?.records).toEqual(records('new'));
  });

  it('come to what was stated at once, where an event that began before leaves later', () => {
    const keys = store();
    const earlier = nextOrder();
    keys.apply([{ plugin: 'a', key: 'port/p1', records: records('new') }], 'at once');
    keys.apply([{ plugin: 'a', key: 'port/p1', records: null, order: earlier }], 'event');
    expect(keys.entry('a', 'port/p1')?.records).toEqual(records('new'));
  });
});

describe('keys that nothing is done about now', () => {
  it('say what they wait for to whoever asks, also after they were looked at', async () => {
    const keys = store();
    keys.apply([{ plugin: 'a', key: 'port/p1', records: records('any') }], 'test');
    const early = keys.progress('a', 'port/p1');
    keys.hold('only a plan');
    const late = keys.progress('a', 'port/p1');
    const waits = { state: 'pending', waitingFor: ['only a plan'] };
    await expect(early).resolves.toEqual(waits);
    await expect(late).resolves.toEqual(waits);
    keys.apply([{ plugin: 'a', key: 'port/p1', records: records('other') }], 'test');
    const next = keys.progress('a', 'port/p1');
    keys.hold('another agent');
    await expect(next).resolves.toEqual({ state: 'pending', waitingFor: ['another agent'] });
  });

  it('let those who ask while the agent starts wait until it has started', async () => {
    const keys = store();
    keys.apply([{ plugin: 'a', key: 'port/p1', records: records('any') }], 'test');
    keys.hold('not started', 'started');
    let told: KeyProgress | undefined;
    const asked = keys.progress('a', 'port/p1').then((progress) => {
      told = progress;
    });
    await new Promise(setImmediate);
    expect(told).toBeUndefined();
    keys.takeDirty();
    const owner = { plugin: 'a', key: 'port/p1' };
    keys.settle(owner, keys.takenVersion(owner), { state: 'applied' });
    await asked;
    expect(told).toEqual({ state: 'applied' });
  });

  it('are each looked at once, however many come one by one, and all again for another reason', () => {
    const keys = store();
    const statedAndHeld = (key: string, reason: string): readonly string[] => {
      keys.apply([{ plugin: 'a', key, records: records('any') }], 'test');
      return keys.hold(reason).map((entry) => entry.key);
    };
    expect(statedAndHeld('port/p1', 'not started')).toEqual(['port/p1']);
    expect(statedAndHeld('port/p2', 'not started')).toEqual(['port/p2']);
    expect(statedAndHeld('port/p3', 'another agent')).toEqual(['port/p1', 'port/p2', 'port/p3']);
    keys.takeDirty();
    expect(keys.hold('another agent').map((entry) => entry.key)).toEqual(['port/p1', 'port/p2', 'port/p3']);
  });

  it('are told why', async () => {
    const keys = store();
    keys.apply([{ plugin: 'a', key: 'port/p1', records: records('any') }], 'test');
    const progress = keys.progress('a', 'port/p1');
    keys.hold('another agent');
    expect(await progress).toEqual({ state: 'pending', waitingFor: ['another agent'] });
  });
});
