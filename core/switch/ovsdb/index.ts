/**
 * A client of the Open vSwitch Database protocol (RFC 7047, and the extensions of ovsdb-server(7)). Needs nothing but Node,
 * and imports nothing of this project.
 */
export type { BackoffOptions } from './backoff';
export {
  type ChangeBatch,
  OvsdbClient,
  type OvsdbClientOptions,
  type OvsdbEvents,
  type RequestOptions,
  type TableSelection,
} from './client';
export { configApplied, waitForConfig } from './config';
export type { StreamSource } from './connect';
export type { Unsubscribe } from './emitter';
export * from './errors';
export type { Lock, LockMode, LockState } from './lock';
export type { MonitorDialect } from './monitor';
export * from './open-vswitch';
export type { Replica, RowChange, TableReplica } from './replica';
export { type ColumnSchema, type DatabaseSchema, parseSchema, type TableSchema } from './schema';
export type { MissingColumn } from './selection';
export { DEFAULT_PORT, parseTarget, type Target, type TlsFiles } from './target';
export type {
  Arithmetic,
  Comparison,
  Condition,
  OperationRef,
  Transaction,
  TransactionResult,
  Where,
  Writable,
  WritableRow,
} from './transaction';
export {
  type AnyRow,
  type Atom,
  isUuid,
  NamedUuid,
  type Row,
  sameRow,
  sameValue,
  type Uuid,
  type Value,
} from './values';
