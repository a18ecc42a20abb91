import type { KeyProgress } from '@patchbay/sdk';
import type { ConfigReport, ExplainReport, PlanReport, PluginReport, StatusReport } from '../../host/reports';
import { columns, dim, level } from './table';

export function printStatus(report: StatusReport): string {
  const ports = Object.entries(report.ports).map(([state, count]) => `${count} ${state}`);
  const lines = [
    `${report.host}: patchbay ${report.version}, pid ${report.pid}, up ${duration(report.uptimeSeconds)}, ${report.phase}`,
    `health   ${level(report.health)}`,
    `switch   ${report.switch.connected ? `Open vSwitch ${report.switch.version}` : level('failing')}, writing: ${level(report.switch.writing)}`,
    `         ${report.switch.keys} keys, ${report.switch.flows} flows, ${report.switch.pending} pending, ${report.switch.quarantined} quarantined, ${report.switch.conflicts.length} conflicts`,
    ...report.switch.takingOver.map((bridge) => `         ${bridge} is being taken over from the reference agent`),
    `         edits by others: ${Object.entries(report.switch.drift)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ')}`,
    `         last of ${report.switch.rounds} rounds: ${report.switch.lastRound}`,
    `ports    ${ports.length === 0 ? 'none' : ports.join(', ')}`,
  ];
  if (report.rpc !== null) {
    const age =
      report.rpc.lastReceivedMsAgo === null
        ? 'nothing received yet'
        : `last received ${Math.round(report.rpc.lastReceivedMsAgo / 1000)} s ago`;
    lines.push(
      `rpc      ${report.rpc.detail}: ${report.rpc.connections} connections, ${report.rpc.queues} queues, ${age}`,
    );
  }
  const complaints = report.plugins.flatMap(({ plugin, conditions }) =>
    conditions
      .filter((each) => each.level !== 'ok')
      .map((each) => [plugin, level(each.level), each.condition, each.detail]),
  );
  if (complaints.length > 0) lines.push('', columns(['PLUGIN', 'LEVEL', 'CONDITION', 'DETAIL'], complaints));
  for (const conflict of report.switch.conflicts) lines.push(`conflict ${conflict}`);
  return lines.join('\n');
}

export function printPlugins(reports: readonly PluginReport[]): string {
  return columns(
    ['#', 'PLUGIN', 'STATE', 'START', 'THREAD', 'FROM', 'PROVIDES', 'TABLES', 'HOOKS'],
    reports.map((each) => [
      String(each.order),
      each.id,
      level(each.state),
      each.startMs === null ? '-' : `${each.startMs.toFixed(1)} ms`,
      each.isolation,
      each.from,
      each.provides.join(' ') || '-',
      Object.entries(each.tables)
        .map(([name, number]) => `${name}=${number}`)
        .join(' ') || '-',
      folded(each.hooks),
    ]),
  );
}

export function printConfig(report: ConfigReport): string {
  const values = columns(
    ['OPTION', 'VALUE', 'FROM'],
    report.values.map(({ path, value, from }) => [path, value, dim(from)]),
  );
  return [values, ...report.warnings.map((warning) => `warning: ${warning}`)].join('\n');
}

export function printExplain(report: ExplainReport): string {
  const [first] = report.stages;
  const stages = report.stages.map(({ stage, at, detail }) => [
    stage,
    new Date(at).toISOString(),
    `+${at - (first?.at ?? at)} ms`,
    detail ?? '',
  ]);
  const records = report.records.map(({ plugin, key, since, progress, text }) => [
    plugin,
    key,
    new Date(since).toISOString().slice(0, 19),
    level(progress.state),
    `${text}${waiting(progress)}`,
  ]);
  return [
    `port ${report.port} (${report.portName}): ${level(report.state)}${report.detail === '' ? '' : `, ${report.detail}`}`,
    '',
    columns(['STAGE', 'AT', 'AFTER', ''], stages),
    '',
    columns(['PLUGIN', 'KEY', 'SINCE', 'STATE', 'FLOW OR ROW'], records),
  ].join('\n');
}

export function printPlan(report: PlanReport): string {
  return [
    ...report.lines,
    ...report.pending.map((each) => `… ${each}`),
    ...report.unknown.map((each) => `? ${each}`),
    `would change ${report.rows} rows; add ${report.added}, change ${report.changed}, remove ${report.removed} flows`,
  ].join('\n');
}

export function printRelease(lines: readonly string[]): string {
  return [
    ...lines,
    'given back: start neutron-openvswitch-agent now; it sweeps what stayed when it has synchronised',
  ].join('\n');
}

function waiting(progress: KeyProgress): string {
  if (progress.state === 'pending') return dim(` (waits for ${progress.waitingFor.join(', ')})`);
  return progress.state === 'quarantined' ? dim(` (${progress.reason})`) : '';
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}

/** Columns that a cell of many words may take, so that a line stays within a wide terminal. */
const CELL_WIDTH = 60;

function folded(words: readonly string[]): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= CELL_WIDTH) lines.splice(-1, 1, `${last} ${word}`);
    else lines.push(word);
  }
  return lines.join('\n') || '-';
}
