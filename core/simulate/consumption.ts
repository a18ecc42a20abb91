import type { Figures } from './messages';
import { processorMs } from './processor-time';

/** An answer to what was sent before, and a notification now and then, are no work. */
const REST_SHARE = 1.1;
const REST_MESSAGES = 5;

/** Everything that is counted, at one moment. Processor time of server and broker counts where they run on this machine. */
export interface Reading {
  readonly atMs: number;
  readonly figures: Figures;
  readonly serverMs: number;
  readonly brokerMs: number;
}

export function readingOf(figures: Figures): Reading {
  return {
    atMs: performance.now(),
    figures,
    serverMs: processorMs('neutron-server'),
    brokerMs: processorMs('rabbit'),
  };
}

/** Whether agents got nothing but the answers to what they sent: the server has told all it had to tell. */
export function isAtRest(from: Reading, to: Reading): boolean {
  const [received, sent] = [to.figures.received - from.figures.received, to.figures.sent - from.figures.sent];
  return received <= sent * REST_SHARE + REST_MESSAGES;
}

/** What there is, and what went on a second. */
export function rates(from: Reading, to: Reading): string {
  const elapsed = Math.max(1, to.atMs - from.atMs);
  const share = (ms: number): string => `${((ms / elapsed) * 100).toFixed(ms / elapsed < 0.1 ? 1 : 0)} %`;
  const { connections, queues, received, sent, cpuMs, rssMiB } = to.figures;
  const perSecond = (count: number): number => Math.round((count / elapsed) * 1000);
  return [
    `${connections} connections, ${queues} queues`,
    `${perSecond(received - from.figures.received)} messages/s to agents, ${perSecond(sent - from.figures.sent)} from them`,
    `CPU: server ${share(to.serverMs - from.serverMs)}, broker ${share(to.brokerMs - from.brokerMs)}, agents ${share(cpuMs - from.figures.cpuMs)}`,
    `agents' memory ${Math.round(rssMiB)} MiB`,
  ].join('; ');
}

/** What it took altogether. */
export function totals(from: Reading, to: Reading): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const { received, sent, cpuMs } = to.figures;
  const count = (messages: number): string => messages.toLocaleString('en');
  return [
    seconds(to.atMs - from.atMs),
    `${count(received - from.figures.received)} messages to agents, ${count(sent - from.figures.sent)} from them`,
    `processor time: server ${seconds(to.serverMs - from.serverMs)}, broker ${seconds(to.brokerMs - from.brokerMs)}, agents ${seconds(cpuMs - from.figures.cpuMs)}`,
  ].join('; ');
}
