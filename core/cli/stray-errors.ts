import type { EventEmitter } from 'node:events';
import type { Host } from '../host/host';

/** What runs the agent: the process, or an emitter in its place. */
type Source = Pick<EventEmitter, 'on' | 'off'>;

/**
 * Keeps errors that nobody caught from ending the agent in the middle of its work. A rejection that nobody waited for concerns
 * one piece of work, which is tried again or found by the next comparison: it is logged. An exception may have left things half
 * done: it is logged, and `fatal` resolves, so that the agent stops in order and the service manager starts it anew; but not where the code of a
 * plugin that the agent can do without threw it, which may have left only its own things half done.
 */
export function watchStrayErrors(
  source: Source,
  host: Pick<Host, 'stray'>,
): { readonly fatal: Promise<'failed'>; release(): void } {
  let fail: (outcome: 'failed') => void = () => undefined;
  const fatal = new Promise<'failed'>((resolve) => {
    fail = resolve;
  });
  const rejected = (error: unknown) => host.stray('rejection', error);
  const thrown = (error: unknown) => {
    if (host.stray('exception', error) === 'ours') fail('failed');
  };
  source.on('unhandledRejection', rejected);
  source.on('uncaughtException', thrown);
  return {
    fatal,
    release: () => {
      source.off('unhandledRejection', rejected);
      source.off('uncaughtException', thrown);
    },
  };
}
