import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventContext } from '../../../core/kernel/event-context';
import { HealthBook } from '../../../core/kernel/health';
import { TapMarker } from '../../../core/kernel/hooks/marker';
import { PluginJobs } from '../../../core/kernel/jobs';
import { FileStore } from '../../../core/kernel/store';
import { AgentSynchronisation } from '../../../core/kernel/synchronisation';
import { watchEventLoop } from '../../../core/kernel/watchdog';
import { RecordingLog } from '../../support/kernel/recording-logger';

describe('health', () => {
  it('is unknown until a plugin is settled', () => {
    const book = new HealthBook();
    book.add('a', 'vital');
    expect(book.overall().level).toBe('unknown');
    book.settle('a');
    expect(book.overall().level).toBe('ok');
  });

  it('is that of the worst condition, and of none when they are cleared', () => {
    const book = new HealthBook();
    book.settle('a');
    const own = book.of('a');
    own.report('broker', 'degraded', 'away');
    own.report('switch', 'failing', 'gone');
    expect(book.plugin('a').level).toBe('failing');
    own.clear('switch');
    own.clear('broker');
    expect(book.plugin('a').level).toBe('ok');
  });

  it('replaces a condition of the same name and keeps since when it has been so', () => {
    let now = 5;
    const book = new HealthBook(undefined, () => now);
    book.of('a').report('broker', 'degraded', 'away');
    now = 9;
    book.of('a').report('broker', 'degraded', 'still away');
    expect(book.plugin('a').conditions).toEqual([
      { condition: 'broker', level: 'degraded', detail: 'still away', since: 5 },
    ]);
  });

  it('is failing as a whole only where a vital plugin fails', () => {
    const book = new HealthBook();
    book.add('vital', 'vital');
    book.add('optional', 'optional');
    book.settle('vital');
    book.of('optional').report('x', 'failing', '');
    expect(book.overall().level).toBe('degraded');
    book.of('vital').report('x', 'failing', '');
    expect(book.overall().level).toBe('failing');
  });

  it('forgets a condition that is not stated again in time', () => {
    let now = 0;
    const book = new HealthBook(() => now);
    book.settle('a');
    book.report('a', { condition: 'loop', level: 'degraded', detail: '', expiresAfterMs: 10 });
    now = 10;
    expect(book.plugin('a')).toEqual({ plugin: 'a', level: 'ok', conditions: [] });
  });

  it('tells listeners of changes, and not of repetitions', () => {
    const book = new HealthBook();
    const heard = jest.fn();
    const end = book.onChange(heard);
    book.of('a').report('x', 'degraded', 'why');
    book.of('a').report('x', 'degraded', 'why');
    end();
    book.of('a').clear('x');
    expect(heard).toHaveBeenCalledTimes(1);
  });
});

describe('jobs', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  function bed() {
    const book = new HealthBook();
    book.settle('a');
    const log = new RecordingLog();
    const context = new EventContext();
    const jobs = new PluginJobs({ plugin: 'a', health: book.of('a'), logger: log.for('a'), context, random: () => 1 });
    return { book, log, jobs, context };
  }

  it('run regularly until they are ended', async () => {
    const { jobs } = bed();
    const work = jest.fn();
    const end = jobs.every('poll', 100, work);
    await jest.advanceTimersByTimeAsync(250);
    end();
    await jest.advanceTimersByTimeAsync(250);
    expect(work).toHaveBeenCalledTimes(2);
  });

  it('never run twice at once', async () => {
    const { jobs } = bed();
    const work = jest.fn(() => new Promise<void>(() => undefined));
    jobs.every('poll', 100, work);
    await jest.advanceTimersByTimeAsync(1000);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('that throw degrade the plugin and are tried again', async () => {
    const { jobs, book, log } = bed();
    let fail = true;
    const work = jest.fn(() => {
      if (fail) throw new Error('no route');
    });
    jobs.after('once', 10, work);
    await jest.advanceTimersByTimeAsync(10);
    expect(book.plugin('a')).toMatchObject({ level: 'degraded', conditions: [{ condition: 'job once' }] });
    expect(log.of('warn')).toMatchObject([{ fields: { job: 'once', code: 'PB-JOB-FAILED', reason: 'no route' } }]);
    fail = false;
    await jest.advanceTimersByTimeAsync(1000);
    expect(work).toHaveBeenCalledTimes(2);
    expect(book.plugin('a').level).toBe('ok');
  });

  it('that fail for the same reason again and again say so once, and how often it was when they went well', async () => {
    const { jobs, log } = bed();
    const reasons = ['no route', 'no route', 'no route', 'refused'];
    jobs.every('poll', 100, () => {
      const reason = reasons.shift();
      if (reason !== undefined) throw new Error(reason);
    });
    await jest.advanceTimersByTimeAsync(1000);
    expect(log.of('warn').map(({ fields }) => fields?.reason)).toEqual(['no route', 'refused']);
    expect(log.of('info')).toMatchObject([{ fields: { job: 'poll', failures: 4 } }]);
  });

  it('until done wait longer each time, up to the most', async () => {
    const { jobs } = bed();
    const at: number[] = [];
    const begun = Date.now();
    jobs.untilDone('connect', { initialMs: 100, maxMs: 300 }, async (_signal, attempt) => {
      at.push(Date.now() - begun);
      if (attempt < 5) throw new Error('away');
    });
    await jest.advanceTimersByTimeAsync(5000);
    expect(at).toEqual([0, 100, 300, 600, 900]);
  });

  it('of the same name replace the earlier one', async () => {
    const { jobs } = bed();
    const earlier = jest.fn(async () => undefined);
    const later = jest.fn(async () => undefined);
    jobs.untilDone('x', { initialMs: 1, maxMs: 1 }, earlier);
    jobs.untilDone('x', { initialMs: 1, maxMs: 1 }, later);
    await jest.advanceTimersByTimeAsync(10);
    expect([earlier.mock.calls.length, later.mock.calls.length]).toEqual([0, 1]);
  });

  it('end with the plugin, their signal aborted, and none starts after', async () => {
    const { jobs } = bed();
    let signal: AbortSignal | undefined;
    jobs.untilDone('x', { initialMs: 1, maxMs: 1 }, (given) => {
      signal = given;
      return new Promise(() => undefined);
    });
    await jest.advanceTimersByTimeAsync(1);
    jobs.end();
    const late = jest.fn();
    jobs.after('y', 1, late);
    await jest.advanceTimersByTimeAsync(10);
    expect(signal?.aborted).toBe(true);
    expect(late).not.toHaveBeenCalled();
  });
});

describe('a plugin’s store', () => {
  let directory: string;
  const log = new RecordingLog();
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'patchbay-store-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const open = () => new FileStore(directory, 'local-vlan', log.for('local-vlan'));

  it('keeps values over a restart', async () => {
    await open().set('net-1', '7');
    expect(await open().get('net-1')).toBe('7');
  });

  it('forgets what is deleted', async () => {
    const store = open();
    await store.set('net-1', '7');
    await store.delete('net-1');
    expect(await open().get('net-1')).toBeUndefined();
  });

  it('keeps every one of many writes at once and leaves no side file', async () => {
    const store = open();
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.set(`k${index}`, `${index}`)));
    expect(readdirSync(directory)).toEqual(['local-vlan.json']);
    expect(await open().get('k19')).toBe('19');
  });

  it('sets a damaged file aside and says so', async () => {
    writeFileSync(join(directory, 'local-vlan.json'), '{"net-1": "7"');
    expect(await open().get('net-1')).toBeUndefined();
    expect(readFileSync(join(directory, 'local-vlan.json.damaged'), 'utf8')).toBe('{"net-1": "7"');
    expect(log.of('warn').at(-1)).toMatchObject({ fields: { code: 'PB-STORE-DAMAGED' } });
  });
});

describe('synchronisation', () => {
  function bed(announce: (ports: number) => Promise<void> = async () => undefined) {
    const log = new RecordingLog();
    const synchronisation = new AgentSynchronisation({
      context: new EventContext(),
      logger: log.for('kernel'),
      announce,
    });
    return { synchronisation, log };
  }

  it('passes requests of one turn on as one', async () => {
    const { synchronisation } = bed();
    const heard: string[] = [];
    synchronisation.onRequested((reason) => heard.push(reason));
    synchronisation.request('broker is back');
    synchronisation.request('agent revived');
    await Promise.resolve();
    expect(heard).toEqual(['broker is back, agent revived']);
  });

  it('reaches those that follow a listener that throws', async () => {
    const { synchronisation } = bed();
    const second = jest.fn();
    synchronisation.onRequested(() => {
      throw new Error('boom');
    });
    synchronisation.onRequested(second);
    synchronisation.request('test');
    await Promise.resolve();
    expect(second).toHaveBeenCalledTimes(1);
  });

  it('is synced after the fact was told, even where telling failed', async () => {
    const told: number[] = [];
    const { synchronisation } = bed(async (ports) => {
      told.push(ports);
      throw new Error('stopping');
    });
    synchronisation.portsDone(3);
    await synchronisation.synced;
    expect([told, synchronisation.completed]).toEqual([[3], 1]);
  });
});

describe('the watch on the event loop', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('names the taps that were at work while it stood still', () => {
    const marker = new TapMarker();
    const blocks: string[] = [];
    let now = 0;
    const end = watchEventLoop({
      marker,
      intervalMs: 100,
      limitMs: 500,
      now: () => now,
      waitedMs: () => 0,
      onBlocked: ({ message }) => blocks.push(message),
    });
    now = 100;
    jest.advanceTimersByTime(100);
    marker.entered({ hook: 'onPortAdded', plugin: 'busy' })();
    now = 900;
    jest.advanceTimersByTime(100);
    end();
    expect(blocks).toEqual([
      'PB-LOOP-BLOCKED: the event loop stood still for 700 ms; running then: busy in onPortAdded',
    ]);
  });

  it('lays nothing at their door while the machine had no processor for the process', () => {
    const blocks: number[] = [];
    let [now, waited] = [0, 5_000];
    const end = watchEventLoop({
      marker: new TapMarker(),
      intervalMs: 100,
      limitMs: 500,
      now: () => now,
      waitedMs: () => waited,
      onBlocked: ({ ms }) => blocks.push(ms),
    });
    [now, waited] = [1_100, 5_600];
    jest.advanceTimersByTime(100);
    [now, waited] = [2_200, 6_000];
    jest.advanceTimersByTime(100);
    end();
    expect(blocks).toEqual([600]);
  });
});
