import type { Flow, Group, Meter } from '@patchbay/sdk';

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

/** Something that is on a switch. What is there as it was wanted is the wanted item itself. Groups and meters carry no cookie: whose they are is known only of those we wanted ourselves. */
export type Installed =
  | InstalledFlow
  | { readonly kind: 'group'; readonly identity: string; readonly body: string; readonly group: Group }
  | { readonly kind: 'meter'; readonly identity: string; readonly body: string; readonly meter: Meter };

export function sameInstalled(left: Installed | undefined, right: Installed | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  const sameCookie = left.kind !== 'flow' || right.kind !== 'flow' || left.cookie === right.cookie;
  return left.body === right.body && sameCookie;
}
