import type { DesiredRecords } from '@patchbay/sdk';
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
