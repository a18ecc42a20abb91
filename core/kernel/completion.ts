import type { Manifest, Unsubscribe } from '@patchbay/sdk';
import type { DesiredStore } from './desired-port';
import { KernelError } from './errors';
import type { HealthBook } from './health';

/** Seconds after the first synchronisation by which a plugin has stated all that it knows of: whoever asks a server has had its answer. */
const PATIENCE_S = 300;
/** Milliseconds between looks at those that are late. */
const LOOK_MS = 30_000;

const CONDITION = 'complete';

export interface CompletionParts {
  readonly store: Pick<DesiredStore, 'isComplete' | 'keys'>;
  readonly health: HealthBook;
  readonly plugins: readonly Pick<Manifest, 'id' | 'claims' | 'tables'>[];
  /** The plugin runs: of one that failed, that is what is to be said. */
  readonly runs: (plugin: string) => boolean;
}

/**
 * Names plugins that never say that they have stated all they know of: nothing is swept without their word, so what strangers left in
 * claimed tables stays. They are only named: what they still want is theirs to say.
 */
export function watchCompletion(parts: CompletionParts): Unsubscribe {
  let looking: NodeJS.Timeout | undefined;
  const waiting = setTimeout(() => {
    look(parts);
    looking = setInterval(() => look(parts), LOOK_MS);
    looking.unref();
  }, PATIENCE_S * 1000);
  waiting.unref();
  return () => {
    clearTimeout(waiting);
    clearInterval(looking);
  };
}

function look({ store, health, plugins, runs }: CompletionParts): void {
  for (const { id, claims = [], tables = [] } of plugins) {
    const writes = claims.length + tables.length + store.keys(id).length > 0;
    if (!writes || store.isComplete(id) || !runs(id)) {
      health.clear(id, CONDITION);
      continue;
    }
    const { message: detail } = KernelError.neverComplete({ plugin: id, seconds: PATIENCE_S });
    health.report(id, { condition: CONDITION, level: 'degraded', detail });
  }
}
