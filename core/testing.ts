/** What `@patchbay/testing` is made of. No plugin, and nothing else, imports this. */
import 'reflect-metadata';
import type { PluginMetrics } from '@patchbay/sdk';
import { Registry } from 'prom-client';
import { pluginMetrics } from './host/plugin-metrics';

export { FollowedObjects } from './agent/followed-objects';
export { createKernel } from './kernel/agent-kernel';
export { defaultSettings } from './kernel/config/settings';
export { constructorTokens } from './kernel/container';
export type { PluginHealth } from './kernel/health';
export { describeInWorker } from './kernel/isolation/describe';
export type { Kernel, KernelOptions } from './kernel/kernel';
export { canonical } from './switch/canonical';
export { cookieOf } from './switch/cookies';
export { createSwitch, type Switch, type SwitchSettings } from './switch/index';
export { FakeOpenFlowSwitch } from './switch/openflow/fake/index';
export type { FlowTableClient, InstalledFlow } from './switch/openflow/index';
export { connectBridge } from './switch/openflow-targets';
export { addBridge, addPort, deletePort, FakeOvsdbServer, FULL_VSWITCHD } from './switch/ovsdb/fake/index';
export { type PrivateSwitch, startPrivateSwitch } from './switch/private/private-switch';

/** Metrics of plugins in a registry of their own. */
export function metricsForTests(): {
  readonly of: (plugin: string) => PluginMetrics;
  readonly text: () => Promise<string>;
} {
  const registry = new Registry();
  return { of: (plugin) => pluginMetrics(registry, plugin), text: () => registry.metrics() };
}
