export * from './canonical';
export * from './client';
export { type ConnectionOptions, OpenFlowConnection } from './connection';
export * from './errors';
export * from './installed-flow';
export type { ConntrackFilter, ConntrackTuple } from './messages/conntrack';
export { OpenFlowReconnector, type ReconnectOptions } from './reconnecting';
export type { OpenFlowTarget } from './transport';
