import type { Action, Flow, Group, Meter } from '@patchbay/sdk';
import { cookieOf } from '../cookies';
import type { InstalledFlow } from './installed';
import type { Owner } from './owner';
import { type PortNumbers, type ResolvedFlow, withNumbers } from './resolve';
import { type Union, unionActions } from './union';

/**
 * How flows, groups and meters are told apart and compared. `key` is the same for two that cannot both be on a switch,
 * `body` for two that do the same, however each was written.
 */
export interface Canonical {
  /** `numberOf` answers the number of a port that the match names. `actions` are those to take for the flow's own, their ports resolved. */
  flow(
    flow: Flow,
    numberOf?: (port: string) => number | undefined,
    actions?: readonly Action[],
  ): { readonly key: string; readonly body: string };
  groupBody(group: Group): string;
  meterBody(meter: Meter): string;
}

/** Something that one owner wants on one bridge, with its ports resolved. Once the switch has it, it stands for what is installed, too. */
export type Item = FlowItem | GroupItem | MeterItem;

interface Wanted {
  readonly owner: Owner;
  readonly bridge: string;
  readonly identity: string;
  readonly body: string;
}

export interface GroupItem extends Wanted {
  readonly kind: 'group';
  readonly group: Group;
}

export interface MeterItem extends Wanted {
  readonly kind: 'meter';
  readonly meter: Meter;
}

/**
 * A flow that is wanted, or was and is installed. There are as many as there are flows, and most of them are never sent: beside its canonical form it has what its
 * owner stated, and puts numbers for names only when asked.
 */
export class FlowItem implements Wanted, ResolvedFlow, InstalledFlow {
  readonly stated: Flow;
  readonly actions: readonly Action[];
  readonly union: Union | undefined;
  readonly ports: readonly string[];

  constructor(
    readonly owner: Owner,
    private text: string,
    readonly body: string,
    { stated, actions, union, ports }: ResolvedFlow,
    private readonly numbers: PortNumbers,
  ) {
    this.stated = stated;
    this.actions = actions;
    this.union = union;
    this.ports = ports;
  }

  get kind(): 'flow' {
    return 'flow';
  }

  get identity(): string {
    return this.text;
  }

  /** Takes an equal text for its identity, so that the two are one in memory. */
  share(identity: string): void {
    this.text = identity;
  }

  get bridge(): string {
    return this.stated.bridge;
  }

  get table(): number {
    return this.stated.table;
  }

  get priority(): number {
    return this.stated.priority;
  }

  get cookie(): bigint {
    return cookieOf(this.owner.plugin);
  }

  /** The flow with numbers for names. */
  get flow(): Flow {
    return withNumbers(this, (port) => this.numbers.get(`${this.bridge} ${port}`));
  }

  decode(): Flow {
    return this.flow;
  }

  /** The same flow with the actions that a union of several comes to. */
  joined(union: Union, canonical: Canonical): FlowItem {
    const resolved = { stated: this.stated, actions: unionActions(union), union, ports: this.ports };
    const flow = { ...this.flow, actions: resolved.actions };
    return new FlowItem(this.owner, this.identity, canonical.flow(flow).body, resolved, this.numbers);
  }
}

export function groupItem(owner: Owner, group: Group, canonical: Canonical): GroupItem {
  const body = canonical.groupBody(group);
  return { kind: 'group', owner, bridge: group.bridge, identity: `group=${group.group}`, body, group };
}

export function meterItem(owner: Owner, meter: Meter, canonical: Canonical): MeterItem {
  const body = canonical.meterBody(meter);
  return { kind: 'meter', owner, bridge: meter.bridge, identity: `meter=${meter.meter}`, body, meter };
}
