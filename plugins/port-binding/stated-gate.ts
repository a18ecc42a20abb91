import type { DesiredState, GateRecord, Vif } from '@patchbay/sdk';
import { portKey, shutGate } from './gate';

/** What is stated of the gate of one port of the control plane: of the VIF that is wired, and of others that bear its iface-id. */
export class StatedGate {
  private position: GateRecord | undefined;
  private vifs: readonly Vif[] = [];
  private readonly key: string;

  constructor(
    private readonly desired: Pick<DesiredState, 'set' | 'unset'>,
    portId: string,
  ) {
    this.key = portKey(portId);
  }

  /** Where the gate stands. */
  get standing(): GateRecord | undefined {
    return this.position;
  }

  state(position: GateRecord): void {
    this.position = position;
    this.publish();
  }

  /** The statement of an event that came to nothing was none. */
  standsAsBefore(position: GateRecord | undefined): void {
    this.position = position;
  }

  /** All that bear the iface-id: those that the gate's position does not speak of are shut. */
  vifsAre(vifs: readonly Vif[]): void {
    const before = this.vifs.map(({ portRow }) => portRow).join();
    this.vifs = vifs;
    if (before !== vifs.map(({ portRow }) => portRow).join()) this.publish();
  }

  withdraw(): void {
    this.position = undefined;
    this.vifs = [];
    this.desired.unset(this.key);
  }

  private publish(): void {
    const others = this.vifs.filter(({ portRow }) => portRow !== this.position?.portRow);
    const first = this.position === undefined ? [] : [this.position];
    this.desired.set(this.key, { gates: [...first, ...others.map(shutGate)] });
  }
}
