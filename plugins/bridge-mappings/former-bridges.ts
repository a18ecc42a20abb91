import type { DesiredState, Jobs, Store } from '@patchbay/sdk';
import { forwarding } from './flows';

const KEY = 'bridges';
const BACKOFF = { initialMs: 500, maxMs: 60_000 };

/**
 * Bridges that an earlier run joined to the integration bridge and the mappings do not name any more. What dropped and translated there
 * goes, for the port that it names may have its number given to another; the bridge, secure as it was made, goes on forwarding.
 */
export class FormerBridges {
  private former: readonly string[] = [];

  constructor(
    private readonly mapped: readonly string[],
    private readonly desired: Pick<DesiredState, 'set' | 'unset' | 'progress'>,
    private readonly store: Store,
    private readonly jobs: Pick<Jobs, 'untilDone'>,
  ) {}

  /** Has the former bridges looked at: what is theirs is swept when the plugin has stated all that it wants. */
  start(): void {
    this.jobs.untilDone('former bridges', BACKOFF, async () => {
      const known = namesIn(await this.store.get(KEY));
      this.former = known.filter((bridge) => !this.mapped.includes(bridge));
      for (const bridge of this.former) this.state(bridge);
      await this.keep([...this.mapped, ...this.former]);
    });
  }

  /** The plugin has stated all: a former bridge is forgotten once a round has gone over it, or where it is not there. */
  complete(isThere: (bridge: string) => boolean): void {
    if (this.former.length === 0) return;
    this.jobs.untilDone('give bridges back', BACKOFF, async () => {
      for (const bridge of this.former.filter((one) => !isThere(one))) this.desired.unset(keyOf(bridge));
      const present = this.former.filter(isThere);
      // Stated again, so that the round in which the rest is swept acknowledges it.
      for (const bridge of present) this.state(bridge);
      for (const bridge of present) {
        const progress = await this.desired.progress(keyOf(bridge));
        if (progress.state !== 'applied') throw new Error(`bridge ${bridge} is not given back yet: ${progress.state}`);
      }
      await this.keep(this.mapped);
    });
  }

  private state(bridge: string): void {
    this.desired.set(keyOf(bridge), { flows: [forwarding(bridge)] });
  }

  private async keep(bridges: readonly string[]): Promise<void> {
    await this.store.set(KEY, JSON.stringify(bridges));
  }
}

const keyOf = (bridge: string): string => `former/${bridge}`;

function namesIn(text: string | undefined): readonly string[] {
  const content: unknown = text === undefined ? [] : JSON.parse(text);
  return Array.isArray(content) ? content.filter((one): one is string => typeof one === 'string') : [];
}
