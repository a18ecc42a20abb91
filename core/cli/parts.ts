import type { Host, Stock } from '../host/host';
import type { PlanReport } from '../host/reports';
import type { Configuration } from '../kernel/config/model';

/** What the command is made of: the stock plugins and the makers of agents. */
export interface ProgramParts {
  readonly stock: Stock;
  readonly version: string;
  readonly createHost: (configuration: Configuration, directory: string, stock: Stock) => Host;
  /** A plan made beside whatever agent runs now, changing nothing. */
  readonly planAlone: (configuration: Configuration, directory: string, stock: Stock) => Promise<PlanReport>;
  readonly print: (text: string) => void;
  /** A sentence for the operator, on standard error. */
  readonly complain: (sentence: string) => void;
}
