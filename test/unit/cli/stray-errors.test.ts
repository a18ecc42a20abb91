import { EventEmitter } from 'node:events';
import { watchStrayErrors } from '../../../core/cli/stray-errors';

function watched(whose: 'contained' | 'ours' = 'ours') {
  const source = new EventEmitter();
  const seen: string[] = [];
  const stray = watchStrayErrors(source, {
    stray: (kind, error) => {
      seen.push(`${kind}: ${String(error)}`);
      return whose;
    },
  });
  return { source, seen, stray };
}

describe('an error that nobody caught', () => {
  it('is logged where it is a rejection, and the agent goes on', async () => {
    const { source, seen, stray } = watched();
    source.emit('unhandledRejection', new Error('lost'));
    expect(seen).toEqual(['rejection: Error: lost']);
    const outcome = await Promise.race([stray.fatal, new Promise((resolve) => setImmediate(resolve, 'goes on'))]);
    expect(outcome).toBe('goes on');
  });

  it('is logged where it is an exception, and asks for an orderly stop', async () => {
    const { source, seen, stray } = watched();
    source.emit('uncaughtException', new Error('broken'));
    expect(seen).toEqual(['exception: Error: broken']);
    await expect(stray.fatal).resolves.toBe('failed');
  });

  it('lets the agent go on where a plugin’s code threw it', async () => {
    const { source, stray } = watched('contained');
    source.emit('uncaughtException', new Error('theirs'));
    const outcome = await Promise.race([stray.fatal, new Promise((resolve) => setImmediate(resolve, 'goes on'))]);
    expect(outcome).toBe('goes on');
  });

  it('is no longer looked for after release', () => {
    const { source, stray } = watched();
    stray.release();
    expect(source.listenerCount('unhandledRejection') + source.listenerCount('uncaughtException')).toBe(0);
  });
});
