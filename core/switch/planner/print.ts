import { printFlow } from '@patchbay/sdk';
import type { Installed, Step } from './board';
import { nameOf } from './owner';
import type { Plan } from './plan';
import type { RowChange } from './row-changes';
import type { Cells } from './row-wants';

/** What a plan would change, in the notation of ovs-vsctl and ovs-ofctl. `+` comes, `-` goes, `~` was before. */
export interface Diff {
  readonly rows: readonly string[];
  readonly flows: Readonly<Record<string, readonly string[]>>;
  /** What cannot be known now. */
  readonly unknown: readonly string[];
}

export function printPlan(plan: Plan, unknown: readonly string[]): Diff {
  const flows = Object.fromEntries([...plan.steps].map(([bridge, steps]) => [bridge, steps.flatMap(printStep)]));
  return { rows: plan.rows.map(printRowChange), flows, unknown };
}

function printStep(step: Step): string[] {
  if (step.act === 'remove') return [`- ${printInstalled(step.before)}`];
  const by = step.owners.map(nameOf).join(', ');
  const after = printInstalled(step.item);
  const before = step.act === 'change' && step.before !== undefined ? [`~ ${printInstalled(step.before)}`] : [];
  return [...before, `+ ${after}    # ${by}`];
}

/** One flow, group or meter as a line. */
export function printInstalled(one: Installed): string {
  switch (one.kind) {
    case 'flow':
      return printFlow(one.decode(), one.cookie);
    case 'group':
      return `group_id=${one.group.group},type=${one.group.kind},buckets=${one.group.buckets.length}`;
    case 'meter':
      return `meter=${one.meter.meter} ${one.meter.unit} ${one.meter.bands.map(({ kind, rate }) => `${kind} rate=${rate}`).join(' ')}`;
  }
}

/** One change of a row as the ovs-vsctl words that would make it. */
export function printRowChange(change: RowChange): string {
  switch (change.kind) {
    case 'create-bridge':
      return `add-br ${change.name} -- set Bridge ${change.name}${printCells(change.cells)}`;
    case 'create-port':
      return `add-port ${change.bridge} ${change.name} -- set Interface ${change.name}${printCells(change.cells)}`;
    case 'delete-port':
      return `del-port ${change.bridge} ${change.name}`;
    case 'set':
      return `set ${change.row.table} ${change.row.name}${printCells(change.cells)}`;
    case 'set-controllers':
      return `set-controller ${change.bridge} ${change.targets.join(' ')}`;
    case 'set-qos':
      return `set Port ${change.port} qos=@new -- --id=@new create QoS type=${change.qos.type}`;
    case 'clear-qos':
      return `clear Port ${change.port} qos`;
  }
}

function printCells(cells: Cells): string {
  return Object.entries(cells)
    .map(([cell, value]) => {
      const plain = cell.slice(cell.indexOf('.') + 1);
      return value === null
        ? ` ${plain}=[]`
        : ` ${plain}=${Array.isArray(value) ? `[${value.join(',')}]` : String(value)}`;
    })
    .join('');
}
