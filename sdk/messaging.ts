import type { Rpc } from './services';

/** How to reach a broker, in oslo.messaging's terms. */
export interface MessagingOptions {
  /** `rabbit://user:password@host:5672,user:password@host2:5672/vhost`. */
  readonly transportUrl: string;
  /** Default `neutron`. */
  readonly controlExchange: string;
  /** This agent's host name: the key of its own queues. */
  readonly host: string;
  readonly callTimeoutMs: number;
  readonly maxCallTimeoutMs: number;
  /** Options of `[oslo_messaging_rabbit]` by their own names, checked when connecting. */
  readonly rabbit: Readonly<Record<string, unknown>>;
  readonly pingEnabled: boolean;
  /** The versioned objects that the cache follows from the beginning, each in the version that this agent speaks. */
  readonly objectVersions: Readonly<Record<string, string>>;
  /** Versions that the operator chose, by type: they count, whatever a follower of the type asks for. */
  readonly chosenVersions?: Readonly<Record<string, string>>;
  /** At most so many resources in one pull. */
  readonly pullStep: number;
}

/** Per-host queues that an earlier agent left, and what became of them. */
export interface LeftQueues {
  readonly removed: readonly string[];
  readonly inUse: readonly string[];
  readonly refused: readonly string[];
}

export interface RpcConnection extends Rpc {
  /** Begins to connect. Nothing is opened before. */
  open(): void;
  /** Removes queues nobody reads from, where the broker permits it. */
  removeUnusedQueues(names: readonly string[]): Promise<LeftQueues>;
  /** Something came in that could not be used: an unknown method, a malformed message. Told once for each kind. */
  onProblem(
    listener: (problem: { readonly code: string; readonly field: string; readonly detail: string }) => void,
  ): void;
  close(): Promise<void>;
}

/** Makes RPC connections. Throws for options that cannot be used; once opened, connecting goes on in the background. */
export interface MessagingConnector {
  connect(options: MessagingOptions): RpcConnection;
}
