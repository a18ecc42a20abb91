import type { Effects, Jobs, LearnedFlows, SwitchChange } from '@patchbay/sdk';

/** Forgets what the tunnel bridge learned where that would send frames to a place they do not belong, or to none. */
export class Learned {
  /** The OpenFlow numbers that ports of the tunnel bridge had last. */
  private readonly numbers = new Map<string, number>();

  constructor(
    private readonly bridge: string,
    private readonly effects: Effects,
    private readonly jobs: Jobs,
  ) {}

  /** What was learned from a tunnel that goes would send frames nowhere until it ages out. */
  forgetTunnel(portName: string): void {
    this.forget(`forget what was learned from ${portName}`, { outPort: { port: portName } });
  }

  /** What was learned under a segment's former tunnel key would send frames into whatever has that key now. */
  forgetVlan(localVlan: number): void {
    this.forget(`forget what was learned in VLAN ${localVlan}`, { match: { vlan_tci: `${localVlan}/0x0fff` } });
  }

  /**
   * Follows the numbers of the bridge's ports. A bridge that is taken away and made again before ovs-vswitchd looks keeps its flows, and
   * its ports get other numbers: what was learned by a former number would send frames nowhere, or through another tunnel.
   */
  observe(changes: readonly SwitchChange[]): void {
    for (const change of changes) {
      if (change.kind !== 'port-added' && change.kind !== 'port-changed') continue;
      const { name, bridge, interfaces } = change.port;
      const number = interfaces[0]?.ofport ?? -1;
      if (bridge !== this.bridge || number < 0) continue;
      const former = this.numbers.get(name);
      this.numbers.set(name, number);
      if (former === undefined || former === number) continue;
      this.forget(`forget what was learned from ${name} as port ${former}`, { outPort: former });
    }
  }

  private forget(name: string, flows: Pick<LearnedFlows, 'match' | 'outPort'>): void {
    const ask = () => this.effects.deleteLearned({ bridge: this.bridge, ...flows, when: 'settled' });
    // Asked at once, while the port is still there to be found by name.
    const asked = ask().then(
      () => true,
      () => false,
    );
    this.jobs.untilDone(name, { initialMs: 500, maxMs: 30_000 }, async (_signal, attempt) => {
      if (attempt > 1 || !(await asked)) await ask();
    });
  }
}
