import type { Flow, Group, Meter } from '@patchbay/sdk';
import type { FlowItem, Item } from './items';

/** A flow as it is on a switch. */
export interface InstalledFlow {
  readonly kind: 'flow';
  readonly identity: string;
  readonly body: string;
  readonly cookie: bigint;
  readonly table: number;
  readonly priority: number;
  /** The flow as data. What was read from a switch is decoded only when somebody asks. */
  decode(): Flow;
}

/** Groups and meters carry no cookie: whose they are is known only of those we wanted ourselves. */
export type Installed =
  | InstalledFlow
  | { readonly kind: 'group'; readonly identity: string; readonly body: string; readonly group: Group }
  | { readonly kind: 'meter'; readonly identity: string; readonly body: string; readonly meter: Meter };

/** A flow that is on the switch as we wanted it: it shares all with what is wanted. */
export class AcknowledgedFlow implements InstalledFlow {
  constructor(
    readonly item: FlowItem,
    readonly cookie: bigint,
  ) {}

  get kind(): 'flow' {
    return 'flow';
  }

  get identity(): string {
    return this.item.identity;
  }

  get body(): string {
    return this.item.body;
  }

  get table(): number {
    return this.item.stated.table;
  }

  get priority(): number {
    return this.item.stated.priority;
  }

  decode(): Flow {
    return this.item.flow;
  }
}

export function asInstalled(item: Item, cookie: bigint): Installed {
  const { identity, body } = item;
  switch (item.kind) {
    case 'flow':
      return new AcknowledgedFlow(item, cookie);
    case 'group':
      return { kind: 'group', identity, body, group: item.group };
    case 'meter':
      return { kind: 'meter', identity, body, meter: item.meter };
  }
}

export function sameInstalled(left: Installed | undefined, right: Installed | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  const sameCookie = left.kind !== 'flow' || right.kind !== 'flow' || left.cookie === right.cookie;
  return left.body === right.body && sameCookie;
}
