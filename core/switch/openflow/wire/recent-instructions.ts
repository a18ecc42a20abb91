import type { Action, ResolvePort } from '@patchbay/sdk/flow';
import { writeInstructions } from './encode-actions';
import type { WireWriter } from './writer';

/** A port's flows do the same few things, in turns. */
const RECENT = 8;

interface Written {
  readonly actions: readonly Action[];
  readonly tagged: boolean;
  readonly bytes: Buffer;
}

/** Writes actions as instructions. Those of lists that were written shortly before (the same frozen objects, which name no port) are copied. */
export class RecentInstructions {
  private readonly recent: Written[] = [];
  private oldest = 0;

  /** `tagged`: the flow's match is of frames with a VLAN tag. @throws FlowNotationError, UnresolvedPortError. */
  write(writer: WireWriter, actions: readonly Action[], tagged: boolean, resolve: ResolvePort): void {
    for (const one of this.recent) {
      if (one.actions === actions && one.tagged === tagged) {
        writer.append(one.bytes);
        return;
      }
    }
    let named = false;
    const start = writer.length;
    writeInstructions(writer, actions, tagged, (port) => {
      named = true;
      return resolve(port);
    });
    if (named || !Object.isFrozen(actions)) return;
    this.recent[this.oldest] = { actions, tagged, bytes: Buffer.from(writer.view(start)) };
    this.oldest = (this.oldest + 1) % RECENT;
  }
}
