import { HealthBook } from '../../../core/kernel/health';
import { watchHeldKeys } from '../../../core/kernel/held-keys';
import { MemoryDesiredStore } from '../../support/kernel/memory-desired-store';

describe('keys that do not get onto the switch', () => {
  let store: MemoryDesiredStore;
  let health: HealthBook;
  let end: () => void;
  const conditions = (plugin = 'probe') => health.plugin(plugin).conditions.map(({ condition }) => condition);
  const held = (key: string, reason = 'no such field') => store.say('probe', key, { state: 'quarantined', reason });
  const applied = (key: string) => store.say('probe', key, { state: 'applied' });

  beforeEach(() => {
    store = new MemoryDesiredStore();
    health = new HealthBook();
    for (const plugin of ['probe', 'other']) {
      health.add(plugin, 'optional');
      health.settle(plugin);
    }
    end = watchHeldKeys(store, health);
  });

  afterEach(() => end());

  it('are named by their plugin’s health, with the reason, and nobody else’s', () => {
    held('a');
    expect(health.plugin('probe')).toMatchObject({
      level: 'degraded',
      conditions: [{ condition: 'key a', level: 'degraded', detail: 'no such field' }],
    });
    expect(health.plugin('other').level).toBe('ok');
  });

  it.each(['applied', 'unset'] as const)('are named no more once they are %s', (state) => {
    held('a');
    store.say('probe', 'a', { state });
    expect(health.plugin('probe')).toEqual({ plugin: 'probe', level: 'ok', conditions: [] });
  });

  it('are named no more once they only wait', () => {
    held('a');
    store.say('probe', 'a', { state: 'pending', waitingFor: ['port tap1'] });
    expect(conditions()).toEqual([]);
  });

  it('are named with the newest reason', () => {
    held('a');
    held('a', 'OFPBAC_BAD_ARGUMENT');
    expect(health.plugin('probe').conditions.map(({ detail }) => detail)).toEqual(['OFPBAC_BAD_ARGUMENT']);
  });

  it('are twenty at most, and the next takes the place of one that is well again', () => {
    for (let index = 1; index <= 22; index += 1) held(`k${index}`);
    expect(conditions()).toHaveLength(21);
    expect(conditions()).toContain('more keys');
    applied('k1');
    expect(conditions()).toContain('key k21');
    expect(conditions()).toContain('more keys');
    applied('k22');
    expect(conditions()).toHaveLength(20);
    expect(conditions()).not.toContain('more keys');
  });

  it('cost little, be they twenty thousand', () => {
    const began = performance.now();
    for (let index = 0; index < 20_000; index += 1) held(`k${index}`);
    for (let index = 0; index < 20_000; index += 1) applied(`k${index}`);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(health.plugin('probe').level).toBe('ok');
  });
});
