import type { Plugin, Provide } from '@patchbay/sdk';
import type { CommandBook } from './commands';
import type { Services } from './container';
import { DesiredSlice } from './desired-slice';
import { KernelError } from './errors';
import type { EventContext } from './event-context';
import type { HealthBook } from './health';
import type { HookTable } from './hooks/table';
import { PluginJobs } from './jobs';
import type { KernelOptions } from './kernel';
import type { Member } from './lifecycle';
import type { FoundPlugin } from './loader/modules';
import type { NumberBook } from './numbers';
import { LimitedPacketIns } from './packet-ins';
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
  readonly numbers: NumberBook;
  /** The numbers of its tables, by name. */
  readonly tables: Readonly<Record<string, number>>;
}

/** Flows that a plugin which is not stock may want, unless the host says otherwise: some hundred ports' worth of rules. */
const FLOW_BUDGET = 100_000;

/** A found plugin as the lifecycle leads it, with the services that are its own. */
export function memberOf(
  found: FoundPlugin,
  parts: MemberParts,
): { readonly member: Member; readonly endJobs: () => void } {
  const { manifest } = found;
  const { id } = manifest;
  const { kernel, context, health, services, table } = parts;
  const logger = kernel.loggerOf(id);
  const jobs = new PluginJobs({ plugin: id, health: health.of(id), logger, context });
  const packetIns = new LimitedPacketIns({
    plugin: id,
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
    permit: { manifest, allotted: parts.tables, identity: kernel.agentServices.identity },
    flowBudget: kernel.flowBudget ?? (found.origin === 'stock' ? Number.POSITIVE_INFINITY : FLOW_BUDGET),
  });
  let instance: Plugin | undefined;
  const member: Member = {
    id,
    onFailure: manifest.onFailure,
    dependsOn: parts.dependsOn,
    construct() {
      instance = services.construct(found.plugin, {
        logger: () => logger,
        config: () => parts.config,
        health: () => health.of(id),
        desired: () => desired,
        jobs: () => jobs,
        store: () => new FileStore(kernel.settings.state_dir, id, logger),
        effects: () => kernel.agentServices.effectsFor(id, logger),
        packetIns: () => packetIns,
        commands: () => parts.commands.of(id),
        metrics: () => kernel.agentServices.metricsFor(id),
        numbers: () => parts.numbers.of(id),
        tables: () => parts.tables,
      });
      const provide: Provide = (token, value) => services.bind(manifest, token, value);
      instance.provide?.(provide);
      for (const token of manifest.provides ?? []) {
        if (services.providerOf(token) !== id) throw KernelError.missingProvision({ plugin: id, token: token.name });
      }
    },
    tap() {
      instance?.tap?.(table.hooksFor(id));
    },
    async start() {
      await context.outside(() => instance?.start?.());
      health.settle(id);
    },
    async stop() {
      jobs.end();
      packetIns.end();
      await context.outside(() => instance?.stop?.());
    },
  };
  return { member, endJobs: () => jobs.end() };
}
