import {
  type Announcer,
  type Logger,
  type PatchbayError,
  type Plugin,
  type Provide,
  providedToken,
  type Token,
} from '@patchbay/sdk';
import type { CommandBook } from './commands';
import type { PluginServices, Services } from './container';
import { DesiredSlice } from './desired-slice';
import { KernelError } from './errors';
import type { EventContext } from './event-context';
import { guardedAnnouncer, guardedView } from './guarded-listeners';
import type { HealthBook } from './health';
import type { HookTable } from './hooks/table';
import { WORKER_SETTINGS, WorkerMember } from './isolation/worker-member';
import { PluginJobs } from './jobs';
import type { KernelOptions } from './kernel';
import type { Member } from './lifecycle';
import type { FoundPlugin } from './loader/modules';
import type { NumberBook } from './numbers';
import { LimitedPacketIns, packetAllowance, packetCeiling } from './packet-ins';
import { FileStore } from './store';

export interface MemberParts {
  readonly kernel: KernelOptions;
  readonly context: EventContext;
  readonly health: HealthBook;
  readonly services: Services;
  readonly table: HookTable;
  readonly config: unknown;
  readonly dependsOn: ReadonlySet<string>;
  readonly commands: CommandBook;
  readonly announcer: Announcer;
  readonly numbers: NumberBook;
  /** Has facts told again. */
  readonly tellAgain: (reason: string) => void;
  /** The numbers of its tables, by name. */
  readonly tables: Readonly<Record<string, number>>;
  /** What it requires and nobody gives. */
  readonly unmet: PatchbayError | undefined;
}

/** Flows that a plugin which is not stock may want, unless the host says otherwise: some hundred ports' worth of rules. */
const FLOW_BUDGET = 100_000;

export interface LedMember {
  readonly member: Member;
  readonly endJobs: () => void;
  readonly jobsUnderWay: () => Promise<number> | number;
}

/** A found plugin as the lifecycle leads it, with the services that are its own. */
export function memberOf(found: FoundPlugin, parts: MemberParts): LedMember {
  const { manifest } = found;
  const { id } = manifest;
  const { kernel, context, health, services, table } = parts;
  const logger = kernel.loggerOf(id);
  const jobs = new PluginJobs({ plugin: id, health: health.of(id), logger, context });
  const packetIns = new LimitedPacketIns({
    plugin: id,
    allowance: packetAllowance(manifest.packetIns, packetCeiling(kernel.settings.packet_in_ceiling)),
    source: kernel.agentServices.packetsOf,
    context,
    logger,
    health: health.of(id),
  });
  const desired = new DesiredSlice({
    plugin: id,
    store: kernel.agentServices.desiredStore,
    context,
    logger,
    health: health.of(id),
    permit: {
      manifest,
      allotted: parts.tables,
      wasAllotted: (kind, bridge, number) => parts.numbers.isOf(id, kind, bridge, number),
      identity: kernel.agentServices.identity,
    },
    flowBudget: kernel.flowBudget ?? (found.origin === 'stock' ? Number.POSITIVE_INFINITY : FLOW_BUDGET),
  });
  const store = new FileStore(kernel.settings.state_dir, id, logger);
  const guard = { health: health.of(id), logger };
  const view = guardedView(kernel.agentServices.switchView, guard);
  const announcer = guardedAnnouncer(parts.announcer, guard);
  const own: PluginServices = {
    switchView: () => view,
    announcer: () => announcer,
    logger: () => logger,
    config: () => parts.config,
    health: () => health.of(id),
    desired: () => desired,
    jobs: () => jobs,
    store: () => store,
    effects: () => kernel.agentServices.effectsFor(id, logger),
    packetIns: () => packetIns,
    commands: () => parts.commands.of(id),
    metrics: () => kernel.agentServices.metricsFor(id),
    numbers: () => parts.numbers.of(id),
    tables: () => parts.tables,
  };
  if (found.entry.isolation === 'worker' && parts.unmet === undefined) {
    const member = inWorker(found, parts, { own, desired, jobs, packetIns, logger });
    return { member, endJobs: () => member.giveUp(), jobsUnderWay: () => member.jobsUnderWay() };
  }
  let instance: Plugin | undefined;
  const member: Member = {
    id,
    onFailure: manifest.onFailure,
    dependsOn: parts.dependsOn,
    construct() {
      if (parts.unmet !== undefined) throw parts.unmet;
      if (found.plugin === null) throw new TypeError(`${id} is in a thread of its own`);
      instance = services.construct(found.plugin, own);
      const provide: Provide = (token, value) => services.bind(manifest, token, value);
      instance.provide?.(provide);
      refuseMissing(manifest.provides ?? [], id, services);
    },
    tap() {
      // TypeScript takes an async function for one that answers nothing.
      const answer: unknown = instance?.tap?.(table.hooksFor(id));
      if (answer instanceof Promise) {
        answer.catch(() => undefined);
        throw new TypeError('tap() is async: what it taps after its first await comes too late');
      }
    },
    async start() {
      await context.outside(() => instance?.start?.(), id);
      health.settle(id);
    },
    async stop() {
      jobs.end();
      packetIns.end();
      await context.outside(() => instance?.stop?.(), id);
    },
  };
  return { member, endJobs: () => jobs.end(), jobsUnderWay: () => jobs.underWay() };
}

interface OwnParts {
  readonly own: PluginServices;
  readonly desired: DesiredSlice;
  readonly jobs: PluginJobs;
  readonly packetIns: LimitedPacketIns;
  readonly logger: Logger;
}

/** @throws PatchbayError where a token has not been handed over. */
function refuseMissing(tokens: readonly Token<unknown>[], plugin: string, services: Services): void {
  const missing = tokens.find((token) => services.providerOf(token) !== plugin);
  if (missing !== undefined) throw KernelError.missingProvision({ plugin, token: missing.name });
}

/** @throws PatchbayError `PB-WORKER-UNFIT` for a plugin that cannot be in a thread of its own. */
function inWorker(
  found: FoundPlugin,
  parts: MemberParts,
  { own, desired, jobs, packetIns, logger }: OwnParts,
): WorkerMember {
  const { manifest, file, entry } = found;
  const { id, provides = [] } = manifest;
  if (file === null) {
    throw KernelError.workerUnfit({ plugin: id, from: entry.from, reason: 'it comes with the agent' });
  }
  const { context, health, services, table, kernel } = parts;
  return new WorkerMember({
    start: { file, id, config: parts.config, identity: kernel.agentServices.identity, tables: parts.tables },
    onFailure: manifest.onFailure,
    dependsOn: parts.dependsOn,
    settings: { ...WORKER_SETTINGS, ...kernel.workerSettings },
    table,
    context,
    health: health.of(id),
    logger,
    service: (name) => own[name]?.() ?? services.named(name),
    provide: (name, value) => services.bind(manifest, providedToken(name), value),
    provided: () => refuseMissing(provides, id, services),
    state: (changes) => {
      for (const { key, records } of changes) {
        if (records === null) desired.unset(key);
        else desired.set(key, records);
      }
    },
    keys: () => desired.keys(),
    tellAgain: (reason) => parts.tellAgain(reason),
    settled: () => health.settle(id),
    ended: () => {
      jobs.end();
      packetIns.end();
    },
  });
}
