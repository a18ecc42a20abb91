import type { PortStage } from '@patchbay/sdk';

const REMEMBERED = 32;

/** A port's last stages, for `patchbay explain`. */
export class History {
  private stages: PortStage[] = [];

  note(stage: PortStage['stage'], detail?: string): void {
    const last = this.stages.at(-1);
    if (last?.stage === stage && last.detail === detail) return;
    this.stages.push({ stage, at: Date.now(), ...(detail === undefined ? {} : { detail }) });
    if (this.stages.length > REMEMBERED) this.stages.shift();
  }

  list(): readonly PortStage[] {
    return [...this.stages];
  }
}
