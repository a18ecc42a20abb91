import type { Fault } from './fault';
export const pluginFaults: readonly Fault[] = [];
