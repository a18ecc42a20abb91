import { setTimeout as pause } from 'node:timers/promises';
import { type ConnectionOptions, OpenFlowConnection } from './connection';

export interface ReconnectOptions extends ConnectionOptions {
  /** Called with every new connection, the first too. */
  readonly onConnected: (connection: OpenFlowConnection) => void;
  /** Called when a connection was lost or could not be made. */
  readonly onDisconnected?: (reason: Error) => void;
  /** Milliseconds before the second attempt; doubled each time up to `longestPause`. 100 and 8000 when absent. */
  readonly shortestPause?: number;
  readonly longestPause?: number;
}

/** Keeps one bridge connected until it is stopped. */
export class OpenFlowReconnector {
  private readonly stopping = new AbortController();
  private current: OpenFlowConnection | undefined;
  private readonly running: Promise<void>;

  constructor(private readonly options: ReconnectOptions) {
    this.running = this.run();
  }

  /** The connection that is up, if one is. */
  get connection(): OpenFlowConnection | undefined {
    return this.current;
  }

  /** Ends the connection and tries no more; leaves no timer and no socket. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.current?.close();
    await this.running;
  }

  private async run(): Promise<void> {
    const { shortestPause = 100, longestPause = 8_000 } = this.options;
    let wait = shortestPause;
    while (!this.stopping.signal.aborted) {
      try {
        await this.once();
        wait = shortestPause;
      } catch (error) {
        if (!this.stopping.signal.aborted) this.options.onDisconnected?.(error as Error);
      }
      await pause(wait, undefined, { signal: this.stopping.signal }).catch(() => {});
      wait = Math.min(wait * 2, longestPause);
    }
  }

  /** One connection from its making to its end. */
  private async once(): Promise<void> {
    const connection = await OpenFlowConnection.connect(this.options);
    if (this.stopping.signal.aborted) {
      await connection.close();
      return;
    }
    const end = new Promise<Error | undefined>((resolve) => {
      connection.onClose(resolve);
    });
    this.current = connection;
    this.options.onConnected(connection);
    const reason = await end;
    this.current = undefined;
    if (reason !== undefined) this.options.onDisconnected?.(reason);
  }
}
