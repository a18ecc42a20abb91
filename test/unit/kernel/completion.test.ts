import { watchCompletion } from '../../../core/kernel/completion';
import { HealthBook } from '../../../core/kernel/health';
import { MemoryDesiredStore } from '../../support/kernel/memory-desired-store';

const MINUTE = 60_000;

describe('plugins that are to say that they stated all they know of', () => {
  let store: MemoryDesiredStore;
  let health: HealthBook;
  let end: () => void;
  const failed = new Set<string>();
  const conditionsOf = (plugin: string) => health.plugin(plugin).conditions.map(({ condition }) => condition);

  beforeEach(() => {
    jest.useFakeTimers();
    failed.clear();
    store = new MemoryDesiredStore();
    health = new HealthBook();
    const plugins = [
      { id: 'writer', claims: [{ bridge: 'integration', tables: [60] }] },
      { id: 'stating' },
      { id: 'reader', claims: [] },
    ] as const;
    end = watchCompletion({ store, health, plugins, runs: (plugin) => !failed.has(plugin) });
  });

  afterEach(() => {
    end();
    jest.useRealTimers();
  });

  it('are named after five minutes, those that state something as well as those that claim something', () => {
    store.apply([{ plugin: 'stating', key: 'k', records: {} }], 'test');
    jest.advanceTimersByTime(4 * MINUTE);
    expect(conditionsOf('writer')).toEqual([]);
    jest.advanceTimersByTime(MINUTE);
    expect(['writer', 'stating', 'reader'].map(conditionsOf)).toEqual([['complete'], ['complete'], []]);
    expect(health.plugin('writer').conditions[0]?.detail).toContain('PB-NEVER-COMPLETE: writer');
  });

  it('are named no more once they say it', () => {
    jest.advanceTimersByTime(5 * MINUTE);
    store.complete('writer');
    jest.advanceTimersByTime(MINUTE);
    expect(conditionsOf('writer')).toEqual([]);
  });

  it('are not named for it where they failed, or where nobody looks any more', () => {
    failed.add('writer');
    jest.advanceTimersByTime(6 * MINUTE);
    expect(conditionsOf('writer')).toEqual([]);
    failed.clear();
    end();
    jest.advanceTimersByTime(6 * MINUTE);
    expect(conditionsOf('writer')).toEqual([]);
  });
});
