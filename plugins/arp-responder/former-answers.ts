import { type Flow, type SwitchView, TunnelTable } from '@patchbay/sdk';
import { tunnelKeySet } from '../tunnel-key';

const ANSWER_PRIORITY = 1;

export interface FormerAnswer {
  readonly key: string;
  /** Takes the place of the answer: the request is flooded. */
  readonly flow: Flow;
}

/** Answers that are installed from an earlier run, or by another agent. */
export class FormerAnswers {
  private reading: Promise<void> | undefined;
  private readonly tunnelKeys = new Map<number, Set<number>>();
  private readonly byVlan = new Map<number, Flow[]>();

  constructor(
    private readonly switchView: SwitchView,
    private readonly bridge: string,
  ) {}

  static key(localVlan: number, ipAddress: string): string {
    return `former/${localVlan}/${ipAddress}`;
  }

  /** Answers in a VLAN that belonged to a segment with another tunnel key. */
  async stale(localVlan: number, tunnelKey: number): Promise<readonly FormerAnswer[]> {
    this.reading ??= this.read();
    await this.reading;
    const former = this.tunnelKeys.get(localVlan);
    if (former === undefined || former.has(tunnelKey)) return [];
    return (this.byVlan.get(localVlan) ?? []).map(({ bridge, table, priority, match }) => ({
      key: FormerAnswers.key(localVlan, String(match.arp_tpa ?? match.nd_target)),
      flow: { bridge, table, priority, match, actions: [{ type: 'goto_table', table: TunnelTable.flood }] },
    }));
  }

  private async read(): Promise<void> {
    const tables = [TunnelTable.unicast, TunnelTable.arpResponder, TunnelTable.flood];
    for (const flow of await this.switchView.flows(this.bridge, tables)) {
      const vlan = Number(flow.match.dl_vlan);
      const tunnelKey = tunnelKeySet(flow.actions);
      if (tunnelKey !== undefined) {
        this.tunnelKeys.set(vlan, (this.tunnelKeys.get(vlan) ?? new Set()).add(tunnelKey));
      }
      if (flow.table !== TunnelTable.arpResponder || flow.priority !== ANSWER_PRIORITY) continue;
      const answers = this.byVlan.get(vlan) ?? [];
      answers.push(flow);
      this.byVlan.set(vlan, answers);
    }
  }
}
