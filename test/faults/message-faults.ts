import type { Fault } from './fault';
export const messageFaults: readonly Fault[] = [];
