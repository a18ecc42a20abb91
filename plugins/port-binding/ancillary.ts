import type { AgentIdentity, BridgeView, Jobs, Vif } from '@patchbay/sdk';
import type { Describer } from './describer';
import type { Reporter } from './reporter';
import { isAncillary } from './vif';

/** VIFs on ancillary bridges (a classic external bridge): their ports are reported up and down, nothing is wired. */
export class AncillaryPorts {
  private readonly bridges = new Set<string>();
  private readonly vifs = new Map<string, Vif>();

  constructor(
    private readonly describer: Describer,
    private readonly reporter: Reporter,
    private readonly jobs: Jobs,
    private readonly identity: AgentIdentity,
  ) {}

  /** Reports every port again: the control plane may have taken this agent for dead. */
  tellAgain(): void {
    for (const vif of this.vifs.values()) this.seen(vif);
  }

  bridgesAre(bridges: readonly BridgeView[]): void {
    for (const bridge of bridges) this.bridgeAppeared(bridge);
  }

  bridgeAppeared(bridge: BridgeView): void {
    const own = [this.identity.integrationBridge, this.identity.tunnelBridge];
    if (!isAncillary(bridge) || own.includes(bridge.name)) return;
    this.bridges.add(bridge.name);
    for (const vif of this.vifs.values()) if (vif.bridge === bridge.name) this.seen(vif);
  }

  seen(vif: Vif): void {
    this.vifs.set(vif.portId, vif);
    if (!this.bridges.has(vif.bridge)) return;
    this.jobs.untilDone(`ancillary/${vif.portId}`, { initialMs: 500, maxMs: 60_000 }, async () => {
      const port = await this.describer.describe(vif.portId);
      if (port === undefined || !this.vifs.has(vif.portId)) return;
      if (port.adminStateUp) this.reporter.up(vif.portId);
      else this.reporter.down(vif.portId);
    });
  }

  gone(vif: Vif): void {
    if (this.vifs.delete(vif.portId) && this.bridges.has(vif.bridge)) this.reporter.down(vif.portId);
  }
}
