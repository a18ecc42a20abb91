import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestOf, type PluginClass } from '@patchbay/sdk';
import { createKernel } from '../../../core/kernel/agent-kernel';
import type { PluginEntry } from '../../../core/kernel/config/model';
import type { AgentServices, Kernel, KernelOptions } from '../../../core/kernel/kernel';
import { MemoryDesiredStore } from './memory-desired-store';
import { RecordingLog } from './recording-logger';

export interface KernelBed {
  readonly kernel: Kernel;
  readonly store: MemoryDesiredStore;
  readonly log: RecordingLog;
  readonly stateDir: string;
}

/** A list with the plugins of these classes, as if an operator had written their ids. */
export function listOf(classes: readonly PluginClass[]): readonly PluginEntry[] {
  return classes.map((plugin, index) => ({
    name: manifestOf(plugin)?.id ?? '',
    options: {},
    from: `patchbay.yaml:${index + 1}`,
  }));
}

export type BedOptions = Partial<Omit<KernelOptions, 'settings'>> & {
  readonly settings?: Partial<KernelOptions['settings']>;
};

/** A whole kernel on fake services, with short budgets. Everything it keeps is gone after `remove`. */
export function kernelBed(
  classes: readonly PluginClass[],
  { settings, ...options }: BedOptions = {},
  services: Partial<AgentServices> = {},
): KernelBed & { readonly remove: () => Promise<void> } {
  const stateDir = mkdtempSync(join(tmpdir(), 'patchbay-kernel-'));
  const store = new MemoryDesiredStore();
  const log = new RecordingLog();
  const kernel = createKernel({
    settings: { state_dir: stateDir, packet_in_ceiling: 1000, ...settings },
    plugins: listOf(classes),
    stock: new Map(classes.map((plugin) => [manifestOf(plugin)?.id ?? '', plugin])),
    loggerOf: log.for,
    configDir: stateDir,
    hookSettings: { budgetsMs: { before: 30, on: 30, resolve: 30, contribute: 30 } },
    lifecycleSettings: { startBudgetMs: 60_000, stopBudgetMs: 60_000, stopAllBudgetMs: 60_000 },
    agentServices: {
      desiredStore: store,
      identity: {
        host: 'compute-1',
        version: '0.1.0',
        integrationBridge: 'br-int',
        tunnelBridge: 'br-tun',
        datapathType: 'system',
      },
      switchView: {
        summary: async () => ({
          ovsVersion: '3.1.0',
          datapathTypes: [],
          interfaceTypes: [],
          hardwareOffload: false,
          connected: true,
        }),
        bridges: async () => [],
        ports: async () => [],
        flows: async () => [],
        watch: () => () => undefined,
      },
      messaging: {
        connect: () => {
          throw new Error('there is no broker in this test');
        },
      },
      effectsFor: () => ({
        packetOut: async () => undefined,
        flushConntrack: async () => undefined,
        deleteLearned: async () => undefined,
      }),
      claimTables: () => undefined,
      packetsOf: () => () => undefined,
      metricsFor: () => ({
        counter: () => ({ add: () => undefined }),
        gauge: () => ({ set: () => undefined }),
        histogram: () => ({ observe: () => undefined }),
      }),
      ...services,
    },
    ...options,
  });
  const remove = async (): Promise<void> => {
    await kernel.stop();
    rmSync(stateDir, { recursive: true, force: true });
  };
  return { kernel, store, log, stateDir, remove };
}
