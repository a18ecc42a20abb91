import type { Logger } from '@patchbay/sdk';
import type { FlowTableClient } from '../openflow';

/** Opens the OpenFlow connection of a bridge. @throws where the bridge does not answer. */
export type Connect = (bridge: string) => Promise<FlowTableClient>;

/** Tells when the bridge may answer again, until what it gives back is called. */
export type AwaitAnswer = (bridge: string, mayAnswer: () => void) => () => void;

interface Link {
  client: FlowTableClient | undefined;
  connecting: boolean;
  /** The bridge may answer since the attempt that is under way began. */
  again: boolean;
  delayMs: number;
  timer: NodeJS.Timeout | undefined;
  stopAwaiting: () => void;
}

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;
/** After a sign of the bridge: between the socket's coming and its being listened to are microseconds, more on a busy machine. */
const SIGN_DELAY_MS = 2;

/** One OpenFlow connection a bridge, for as long as the bridge is wanted and exists. */
export class Links {
  private readonly links = new Map<string, Link>();
  private stopped = false;

  constructor(
    private readonly connect: Connect,
    private readonly exists: (bridge: string) => boolean,
    private readonly events: {
      readonly up: (bridge: string) => void;
      readonly down: (bridge: string) => void;
    },
    private readonly logger: Logger,
    private readonly awaitAnswer: AwaitAnswer = () => () => undefined,
  ) {}

  /** The connection, or undefined while there is none. */
  get(bridge: string): FlowTableClient | undefined {
    return this.links.get(bridge)?.client;
  }

  /** Somebody wants a connection, whether there is one or not. */
  isWanted(bridge: string): boolean {
    return this.links.has(bridge);
  }

  /** Wants a connection to the bridge, and tries at once where there is none. */
  want(bridge: string): void {
    if (this.stopped) return;
    let link = this.links.get(bridge);
    if (link === undefined) {
      link = {
        client: undefined,
        connecting: false,
        again: false,
        delayMs: FIRST_DELAY_MS,
        timer: undefined,
        stopAwaiting: () => undefined,
      };
      this.links.set(bridge, link);
    }
    if (link.client === undefined && !link.connecting && this.exists(bridge)) this.open(bridge, link);
  }

  /** Ends a connection that misbehaved; another is made. */
  async drop(bridge: string): Promise<void> {
    await this.links.get(bridge)?.client?.close();
    this.lost(bridge, this.links.get(bridge)?.client, undefined);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const link of this.links.values()) {
      clearTimeout(link.timer);
      link.stopAwaiting();
    }
    await Promise.all([...this.links.values()].map((link) => link.client?.close()));
  }

  private open(bridge: string, link: Link): void {
    clearTimeout(link.timer);
    link.connecting = true;
    link.again = false;
    this.connect(bridge).then(
      (client) => this.opened(bridge, link, client),
      (error: unknown) => {
        link.connecting = false;
        this.logger.debug('no OpenFlow connection to the bridge yet', { bridge, error: String(error) });
        this.later(bridge, link);
      },
    );
  }

  private opened(bridge: string, link: Link, client: FlowTableClient): void {
    link.connecting = false;
    if (this.stopped) {
      void client.close();
      return;
    }
    link.client = client;
    link.delayMs = FIRST_DELAY_MS;
    link.stopAwaiting();
    client.onClose((reason) => this.lost(bridge, client, reason));
    this.events.up(bridge);
  }

  private lost(bridge: string, client: FlowTableClient | undefined, reason: Error | undefined): void {
    const link = this.links.get(bridge);
    if (link === undefined || client === undefined || link.client !== client) return;
    link.client = undefined;
    if (this.stopped) return;
    this.logger.warn('OpenFlow connection lost', { bridge, reason: reason?.message ?? 'closed' });
    this.events.down(bridge);
    this.later(bridge, link);
  }

  private later(bridge: string, link: Link): void {
    if (this.stopped) return;
    link.stopAwaiting();
    link.stopAwaiting = this.awaitAnswer(bridge, () => this.signOf(bridge, link));
    if (link.again) link.delayMs = SIGN_DELAY_MS;
    link.timer = setTimeout(() => this.want(bridge), link.delayMs);
    link.timer.unref();
    link.delayMs = Math.min(link.delayMs * 2, LONGEST_DELAY_MS);
  }

  private signOf(bridge: string, link: Link): void {
    link.again = true;
    link.delayMs = SIGN_DELAY_MS;
    this.want(bridge);
  }
}
