import { type Announcer, type DesiredState, type Flow, flow } from '@patchbay/sdk';
import { ADDRESS_CLAUSE } from './conjunctions';

const KEY = 'former addresses';

/**
 * Clauses of addresses that are on the switch when the plugin starts, its own of an earlier run or the reference agent's. They stay beside
 * those that are stated, port after port, until every port has its flows: a port that has not yet is let through by its old ones.
 */
export class FormerAddresses {
  private stated = false;

  constructor(
    private readonly desired: Pick<DesiredState, 'set' | 'unset'>,
    private readonly announcer: Announcer,
  ) {}

  /** To be called before any address is stated. */
  async keep(installed: readonly Flow[]): Promise<void> {
    const flows = installed.flatMap(({ bridge, table, priority, match, actions }) => {
      const clauses = actions.filter((action) => action.type === 'conjunction' && action.clause === ADDRESS_CLAUSE);
      return clauses.length === 0 ? [] : [flow({ bridge, table, priority, match, actions: clauses })];
    });
    if (flows.length === 0) return;
    await this.announcer.event('addresses of an earlier run', async () => this.desired.set(KEY, { flows }));
    this.stated = true;
  }

  /** Every port has its flows. */
  release(): void {
    if (this.stated) this.desired.unset(KEY);
    this.stated = false;
  }
}
