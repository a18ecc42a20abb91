import { join } from 'node:path';
import type { StatusReport } from '../../core/host/reports';
import { repository, run, type UntilOptions, until } from './bed-command';
import type { Host, PatchbayOptions } from './bed-host';
import type { Running } from './bed-process';
import type { NeutronPort } from './bed-rest';

/** Runs the `patchbay` command, as built, in a host, and gives what it printed. */
export function patchbay(host: Host, ...words: readonly string[]): Promise<string> {
  return run(host.within([process.execPath, join(repository, 'core/bin/patchbay'), ...words]));
}

/** A report of the host's running Patchbay, as its admin socket gives it: `report(host, 'status')`. */
export async function report<T>(host: Host, path: string): Promise<T> {
  return JSON.parse(await adminText(host, path)) as T;
}

/** The same as text. Rejects where nobody answers; an answer with an HTTP error is still an answer. */
export function adminText(host: Host, path: string): Promise<string> {
  const socket = '/run/patchbay/patchbay.sock';
  return host.exec([
    'curl',
    '--silent',
    '--show-error',
    '--max-time',
    '30',
    '--unix-socket',
    socket,
    `http://-/${path}`,
  ]);
}

export const statusOf = (host: Host): Promise<StatusReport> => report<StatusReport>(host, 'status');

/** Waits until what the host's Patchbay says of itself satisfies the question. */
export async function untilStatus(
  host: Host,
  what: string,
  question: (status: StatusReport) => boolean,
  options: UntilOptions = {},
): Promise<StatusReport> {
  let last: StatusReport | undefined;
  await until(
    async () => {
      last = await statusOf(host);
      if (question(last)) return true;
      throw new Error(JSON.stringify(last));
    },
    { what: `${host.name}: ${what}`, ...options },
  );
  return last as StatusReport;
}

/** Waits until the host's Patchbay has done its first synchronisation. */
export const untilReady = (host: Host, options: UntilOptions = {}): Promise<StatusReport> =>
  untilStatus(host, 'Patchbay is ready', ({ ready }) => ready, options);

/** Starts Patchbay in the host and waits until it is ready; one that ends first is reported with its log. */
export async function startedPatchbay(host: Host, options: PatchbayOptions = {}): Promise<Running> {
  const agent = host.startPatchbay(options);
  const ready = untilReady(host);
  const ended = agent.ended.then(({ status }) => {
    throw new Error(`patchbay of ${host.name} ended with ${status}; its log ends:\n${agent.log().slice(-2000)}`);
  });
  await Promise.race([ready, ended]);
  ended.catch(() => {});
  ready.catch(() => {});
  return agent;
}

/** The conditions of one plugin's health: `rpc: connected`. */
export function conditionsOf(status: StatusReport, plugin: string): readonly string[] {
  const found = status.plugins.find((one) => one.plugin === plugin);
  return (found?.conditions ?? []).map(({ condition, level, detail }) => `${condition} ${level}: ${detail}`);
}

/** The first address of a port. */
export function addressOf(port: Pick<NeutronPort, 'id' | 'fixed_ips'>): string {
  const [first] = port.fixed_ips;
  if (first === undefined) throw new Error(`port ${port.id} has no address: its network needs a subnet`);
  return first.ip_address;
}
