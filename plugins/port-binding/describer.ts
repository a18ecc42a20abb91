import type { ControlPlane, PortDescription } from '@patchbay/sdk';
import { PortBindingErrors } from './errors';

interface Waiting {
  readonly resolve: (description: PortDescription | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Asks the control plane about ports: questions of one turn of the event loop go out as one. */
export class Describer {
  private waiting = new Map<string, Waiting[]>();

  constructor(private readonly controlPlane: Pick<ControlPlane, 'describePorts'>) {}

  /** The port's description; undefined if the control plane does not know it. Rejects when it cannot be asked. */
  describe(portId: string): Promise<PortDescription | undefined> {
    return new Promise((resolve, reject) => {
      if (this.waiting.size === 0) setImmediate(() => void this.ask());
      const others = this.waiting.get(portId) ?? [];
      this.waiting.set(portId, [...others, { resolve, reject }]);
    });
  }

  private async ask(): Promise<void> {
    const asked = this.waiting;
    this.waiting = new Map();
    try {
      const answers = await this.controlPlane.describePorts([...asked.keys()]);
      const byId = new Map(answers.map((description) => [description.id, description]));
      for (const [portId, waiting] of asked) {
        const answer = byId.get(portId);
        for (const { resolve, reject } of waiting) {
          if (answer !== undefined && 'error' in answer)
            reject(PortBindingErrors.undescribable({ port: portId, reason: answer.error }));
          else resolve(answer);
        }
      }
    } catch (error) {
      for (const waiting of asked.values()) for (const { reject } of waiting) reject(error);
    }
  }
}
