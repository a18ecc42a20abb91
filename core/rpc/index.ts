/** oslo.messaging's RPC over RabbitMQ, and Neutron's versioned objects: complete enough to be used on its own. */
export type { AmqpChannel, AmqpConnection, AmqpConnector, AmqpMessage, ConnectTarget } from './amqp';
export { type CallTimeoutOptions, CallTimeouts, retryDelayMs } from './backoff';
export type { CallOptions, RpcTarget } from './client';
export { agentContext, type RpcContext } from './context';
export * from './errors';
export {
  createMessaging,
  type Listener,
  Messaging,
  type MessagingEvents,
  type MessagingOptions,
  type MessagingStats,
} from './messaging';
export { type ResolvedRabbitOptions, resolveRabbitOptions } from './options';
export {
  type RabbitOption,
  type RabbitOptionName,
  type RabbitOptions,
  type RabbitOptionVerdict,
  rabbitOptions,
} from './rabbit-options';
export {
  decodePush,
  PUSH_VERSION,
  pushTopics,
  type ReadObjects,
  ResourceClient,
  type ResourceFilter,
  type ResourcePush,
  resourceTopic,
  type UnreadableObject,
} from './resources';
export type { Endpoint, Endpoints, Listening, RpcProblem } from './server';
export { type BrokerEndpoint, parseTransportUrl, redactTransportUrl, type TransportUrl } from './transport-url';
export type { DeletionReport } from './unused-queues';
export * from './versioned-objects';
