import { DesiredKeys } from '../../../core/switch/desired-store';
import { Ownership } from '../../../core/switch/ownership';
import type { Rows } from '../../../core/switch/planner/rows';

const SETTINGS = { integration_bridge: 'br-int', tunnel_bridge: 'br-tun' };
const CLAIMS = [{ bridge: 'integration', tables: [0] }] as const;
const quiet = { changed: () => undefined, completed: () => undefined, retired: () => undefined };

function setUp() {
  const store = new DesiredKeys(quiet);
  const plugins = [
    { id: 'heartbeat', claims: [], required: false },
    { id: 'wiring', claims: CLAIMS, required: false },
    { id: 'vendor', claims: [], required: false },
  ];
  return { store, ownership: new Ownership(SETTINGS, plugins, [], {} as Rows, () => store) };
}

describe('all plugins are complete', () => {
  test('once each that claims a part of the switch has said so, whoever else is on the list', () => {
    const { store, ownership } = setUp();
    expect(ownership.allComplete()).toBe(false);
    store.complete('wiring');
    expect(ownership.allComplete()).toBe(true);
  });

  test('not while one without a claim has stated something and not said that it is all', () => {
    const { store, ownership } = setUp();
    store.complete('wiring');
    store.apply([{ plugin: 'vendor', key: 'mirror', records: {} }], 'test');
    expect(ownership.allComplete()).toBe(false);
    store.complete('vendor');
    expect(ownership.allComplete()).toBe(true);
  });
});
