import { AsyncResource } from 'node:async_hooks';
import type { AgentHooks, DesiredState, KeyProgress } from '@patchbay/sdk';
import { DesiredSlice } from '../../../core/kernel/desired-slice';
import { EventContext } from '../../../core/kernel/event-context';
import { Events } from '../../../core/kernel/events';
import { HealthBook } from '../../../core/kernel/health';
import { TapMarker } from '../../../core/kernel/hooks/marker';
import { HOOK_SETTINGS } from '../../../core/kernel/hooks/options';
import { HookTable } from '../../../core/kernel/hooks/table';
import { MemoryDesiredStore } from '../../support/kernel/memory-desired-store';
import { RecordingLog } from '../../support/kernel/recording-logger';
import { BOUND } from '../../support/kernel/samples';

function bed() {
  const context = new EventContext();
  const store = new MemoryDesiredStore();
  const log = new RecordingLog();
  const table = new HookTable({
    context,
    marker: new TapMarker(),
    settings: { ...HOOK_SETTINGS, budgetsMs: { before: 20, on: 20, resolve: 20, contribute: 20 } },
    loggerOf: log.for,
    isRequired: (plugin) => plugin === 'wall',
    condition: () => undefined,
    knownPlugins: new Set(),
    standIns: new Map(),
  });
  const events = new Events({
    context,
    store,
    isRequired: (plugin) => plugin === 'wall',
    callsFor: (cause) => table.callsFor(cause),
  });
  const health = new HealthBook();
  const slices = new Map<string, DesiredState>();
  const desired = (plugin: string): DesiredState => {
    const parts = { plugin, store, context, logger: log.for(plugin), health: health.of(plugin) };
    const slice = slices.get(plugin) ?? new DesiredSlice(parts);
    slices.set(plugin, slice);
    return slice;
  };
  const tap = (plugin: string, taps: (hooks: AgentHooks) => void): void => taps(table.hooksFor(plugin));
  return { context, store, table, events, desired, tap, health };
}

describe('an event', () => {
  it('takes nothing along that another agent of the same process states meanwhile', async () => {
    const one = bed();
    const other = bed();
    await one.events.event('vif', async () => {
      one.desired('a').set('port/1', {});
      other.desired('a').set('port/2', {});
      expect(other.store.rounds).toMatchObject([{ changes: [{ key: 'port/2' }] }]);
    });
    expect(one.store.rounds).toMatchObject([{ changes: [{ key: 'port/1' }] }]);
  });

  it('sends what all taps stated in one round', async () => {
    const { store, table, events, desired, tap } = bed();
    for (const plugin of ['a', 'b']) {
      tap(plugin, (hooks) =>
        hooks.onPortAdded(async () => {
          await Promise.resolve();
          desired(plugin).set('port/1', {});
        }),
      );
    }
    table.seal(['a', 'b']);
    await events.event('vif', async (calls) => {
      await calls.tell('onPortAdded', BOUND);
      expect(store.rounds).toEqual([]);
    });
    expect(store.rounds).toMatchObject([{ cause: 'vif', changes: [{ plugin: 'a' }, { plugin: 'b' }] }]);
  });

  it('sends nothing when the act throws', async () => {
    const { store, events, desired } = bed();
    const act = events.event('vif', async () => {
      desired('a').set('port/1', {});
      throw new Error('described no longer');
    });
    await expect(act).rejects.toThrow('described no longer');
    expect(store.rounds).toEqual([]);
  });

  it('keeps only the last statement of a key', async () => {
    const { store, events, desired } = bed();
    await events.event('vif', async () => {
      desired('a').set('port/1', {});
      desired('a').unset('port/1');
    });
    expect(store.rounds[0]?.changes).toMatchObject([{ plugin: 'a', key: 'port/1', records: null }]);
  });

  it('leaves out what a failing tap stated, and what a timed-out tap states later', async () => {
    const { store, table, events, desired, tap, health } = bed();
    let release: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      release = resolve;
    });
    let lateDone: Promise<void> = Promise.resolve();
    tap('throws', (hooks) =>
      hooks.onPortAdded(() => {
        desired('throws').set('port/1', {});
        throw new Error('boom');
      }),
    );
    tap('slow', (hooks) =>
      hooks.onPortAdded(() => {
        lateDone = late.then(() => desired('slow').set('port/1', {}));
        return lateDone;
      }),
    );
    tap('good', (hooks) => hooks.onPortAdded(() => desired('good').set('port/1', {})));
    table.seal(['throws', 'slow', 'good']);
    await events.event('vif', (calls) => calls.tell('onPortAdded', BOUND));
    release();
    await lateDone;
    expect(health.plugin('slow').conditions).toMatchObject([{ condition: 'late keys', level: 'degraded' }]);
    expect(store.rounds.flatMap(({ changes }) => changes.map(({ plugin }) => plugin))).toEqual(['good']);
  });

  it('that has ended leaves to a tap that failed, or ran out of time, what that one set off', async () => {
    const { store, table, events, desired, tap, health } = bed();
    const set: (() => void)[] = [];
    const later = (plugin: string): void => {
      // The context of the tap goes along, as with a timer.
      set.push(AsyncResource.bind(() => desired(plugin).set('timer', {})));
    };
    tap('throws', (hooks) =>
      hooks.onPortAdded(() => {
        later('throws');
        throw new Error('boom');
      }),
    );
    tap('slow', (hooks) =>
      hooks.onPortAdded(async (_bound, { signal }) => {
        later('slow');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }),
    );
    table.seal(['throws', 'slow']);
    await events.event('vif', async (calls) => {
      await calls.tell('onPortAdded', BOUND);
      for (const act of set) act();
      expect(health.plugin('throws').conditions.map(({ condition }) => condition)).toEqual(['late keys']);
    });
    expect(store.rounds).toEqual([]);
    for (const act of set) act();
    expect([store.keys('throws'), store.keys('slow')]).toEqual([['timer'], ['timer']]);
    expect(health.plugin('throws').conditions).toEqual([]);
  });

  it('that came to nothing leaves to a tap that went well what that one set off', async () => {
    const { store, table, events, desired, tap } = bed();
    let set = (): void => undefined;
    tap('good', (hooks) =>
      hooks.onPortAdded(() => {
        set = AsyncResource.bind(() => desired('good').set('timer', {}));
      }),
    );
    table.seal(['good']);
    const act = events.event('vif', async (calls) => {
      await calls.tell('onPortAdded', BOUND);
      throw new Error('described no longer');
    });
    await expect(act).rejects.toThrow('described no longer');
    set();
    expect(store.keys('good')).toEqual(['timer']);
  });

  it('does not mix with another event under way', async () => {
    const { store, events, desired } = bed();
    const act = (cause: string) =>
      events.event(cause, async () => {
        await Promise.resolve();
        desired('a').set(`port/${cause}`, {});
        await Promise.resolve();
      });
    await Promise.all([act('one'), act('two')]);
    expect(store.rounds.map(({ cause, changes }) => [cause, changes.map(({ key }) => key)])).toEqual([
      ['one', ['port/one']],
      ['two', ['port/two']],
    ]);
  });

  it('shows a tap the keys that it has just stated', async () => {
    const { events, desired } = bed();
    const seen = await events.event('vif', async () => {
      desired('a').set('port/1', {});
      return desired('a').keys();
    });
    expect(seen.value).toEqual(['port/1']);
  });

  it('is acknowledged when every key of it is, each with its plugin', async () => {
    const { store, events, desired } = bed();
    let acknowledge: (progress: KeyProgress) => void = () => undefined;
    store.answer('a', 'port/1', new Promise((resolve) => (acknowledge = resolve)));
    const outcome = await events.event('vif', async () => {
      desired('a').set('port/1', {});
      desired('wall').set('port/1', {});
      desired('wall').unset('port/0');
    });
    const acknowledged = outcome.acknowledged();
    acknowledge({ state: 'quarantined', reason: 'bad match' });
    expect(await acknowledged).toEqual([
      { plugin: 'a', required: false, key: 'port/1', progress: { state: 'quarantined', reason: 'bad match' } },
      { plugin: 'wall', required: true, key: 'port/1', progress: { state: 'applied' } },
      { plugin: 'wall', required: true, key: 'port/0', progress: { state: 'unset' } },
    ]);
  });

  it('passes later progress on with whether the plugin is required', () => {
    const { store, events } = bed();
    const heard = jest.fn();
    const end = events.onProgress(heard);
    store.say('wall', 'port/1', { state: 'pending', waitingFor: ['tap1'] });
    end();
    store.say('wall', 'port/1', { state: 'applied' });
    expect(heard).toHaveBeenCalledTimes(1);
    expect(heard).toHaveBeenCalledWith(expect.objectContaining({ plugin: 'wall', required: true }));
  });
});

describe('outside of an event', () => {
  it('a statement is applied at once', () => {
    const { store, desired } = bed();
    desired('a').set('bridge', { bridges: [{ name: 'br-int', presence: 'create' }] });
    expect(store.rounds).toMatchObject([{ changes: [{ plugin: 'a', key: 'bridge' }] }]);
  });

  it('what goes on after its event left is applied at once', async () => {
    const { store, events, desired } = bed();
    let later: Promise<void> = Promise.resolve();
    let release: () => void = () => undefined;
    await events.event('vif', async () => {
      later = new Promise<void>((resolve) => {
        release = resolve;
      }).then(() => desired('a').set('later', {}));
    });
    release();
    await later;
    expect(store.keys('a')).toEqual(['later']);
  });

  it('work with a life of its own is no part of the event that began it', async () => {
    const { context, store, events, desired } = bed();
    const act = events.event('vif', async () => {
      context.outside(() => desired('a').set('job', {}));
      throw new Error('dropped');
    });
    await expect(act).rejects.toThrow('dropped');
    expect(store.keys('a')).toEqual(['job']);
  });

  it('records that are no plain data are refused with the field', () => {
    const { desired } = bed();
    const records = { flows: [{ match: () => 1 }] } as never;
    expect(() => desired('a').set('port/1', records)).toThrow(
      'PB-NOT-PLAIN-DATA: desired state a port/1 is not plain data at flows[0].match',
    );
  });
});
