import type { Plugin, Provide } from '@patchbay/sdk';
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
import { FileStore } from './store';

export interface MemberParts {
  readonly kernel: KernelOptions;
  readonly context: EventContext;
  readonly health: HealthBook;
  readonly services: Services;
  readonly table: HookTable;
  readonly config: unknown;
  readonly dependsOn: ReadonlySet<string>;
}

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
        desired: () => new DesiredSlice(id, kernel.agentServices.desiredStore, context, logger),
        jobs: () => jobs,
        store: () => new FileStore(kernel.settings.state_dir, id, logger),
        effects: () => kernel.agentServices.effectsFor(id, logger),
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
      await context.outside(() => instance?.stop?.());
    },
  };
  return { member, endJobs: () => jobs.end() };
}
