import type { BridgeRow } from '../planner/rows';

/**
 * How long an agent that has set its controller on our bridge may take to be seen connected. ovs-vswitchd tries a new controller at
 * once, and writes Controller:is_connected with its statistics, 5 s apart.
 */
const ARRIVAL_MS = 15_000;

/**
 * Notices an agent that comes to a bridge of ours: it sets its controller before it connects, and to put ours back meanwhile would
 * be the fight of two agents. A controller that was there before us, as on a take-over, is nobody's coming; nor is one that stays
 * unconnected.
 */
export class Newcomer {
  private wasOurs = false;
  private target: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly ownTarget: string,
    private readonly gaveUp: () => void,
    private readonly patienceMs = ARRIVAL_MS,
  ) {}

  /** The controller that was set and is not connected yet. */
  get arriving(): string | undefined {
    return this.target;
  }

  observe(bridge: Pick<BridgeRow, 'controllers'> | undefined): void {
    const controllers = bridge?.controllers ?? [];
    const other = controllers.find(({ target }) => target !== this.ownTarget);
    if (other === undefined) {
      this.wasOurs = controllers.length > 0;
      this.forget();
    } else if (other.connected) {
      this.wasOurs = false;
      this.forget();
    } else if (this.wasOurs) {
      this.wasOurs = false;
      this.target = other.target;
      this.timer = setTimeout(() => {
        this.forget();
        this.gaveUp();
      }, this.patienceMs);
      this.timer.unref();
    }
  }

  forget(): void {
    clearTimeout(this.timer);
    this.target = undefined;
  }
}
