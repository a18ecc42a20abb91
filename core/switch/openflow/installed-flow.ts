import type { Flow } from '@patchbay/sdk/flow';
import { canonicalBody, canonicalKey } from './canonical';
import { decodeInstructions } from './wire/decode-actions';
import { decodeMatch } from './wire/decode-match';

/** Numbers of an installed flow, as the switch gives them. */
export interface InstalledFlowHead {
  readonly bridge: string;
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  /** Seconds; 0: never. */
  readonly idleTimeout: number;
  /** Seconds; 0: never. */
  readonly hardTimeout: number;
  /** OFPFF_* bits. */
  readonly flags: number;
}

/** Where a flow's OXM fields and instructions lie in the message that brought them. */
export interface WireSpan {
  readonly bytes: Buffer;
  readonly matchFrom: number;
  readonly matchTo: number;
  readonly instructionsFrom: number;
  readonly instructionsTo: number;
}

/**
 * A flow that the switch has. Its canonical form and its decoded form are worked out when first asked for. A switch is read flow after
 * flow after flow: each is one object.
 */
export class InstalledFlow implements InstalledFlowHead, WireSpan {
  readonly bridge: string;
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly flags: number;
  readonly bytes: Buffer;
  readonly matchFrom: number;
  readonly matchTo: number;
  readonly instructionsFrom: number;
  readonly instructionsTo: number;
  private cachedKey: string | undefined = undefined;
  private cachedBody: string | undefined = undefined;

  constructor(head: InstalledFlowHead, wire: WireSpan) {
    this.bridge = head.bridge;
    this.table = head.table;
    this.priority = head.priority;
    this.cookie = head.cookie;
    this.idleTimeout = head.idleTimeout;
    this.hardTimeout = head.hardTimeout;
    this.flags = head.flags;
    this.bytes = wire.bytes;
    this.matchFrom = wire.matchFrom;
    this.matchTo = wire.matchTo;
    this.instructionsFrom = wire.instructionsFrom;
    this.instructionsTo = wire.instructionsTo;
  }

  get kind(): 'flow' {
    return 'flow';
  }

  /** As `canonicalFlow`'s key of the same flow. */
  get key(): string {
    if (this.cachedKey === undefined) {
      const { bridge, table, priority, bytes, matchFrom, matchTo } = this;
      this.cachedKey = canonicalKey(bridge, table, priority, bytes, matchFrom, matchTo);
    }
    return this.cachedKey;
  }

  /** The key, as a planner calls it. */
  get identity(): string {
    return this.key;
  }

  /** As `canonicalFlow`'s body of the same flow. */
  get body(): string {
    if (this.cachedBody === undefined) {
      const { idleTimeout, hardTimeout, bytes, instructionsFrom, instructionsTo } = this;
      this.cachedBody = canonicalBody(idleTimeout, hardTimeout, bytes, instructionsFrom, instructionsTo);
    }
    return this.cachedBody;
  }

  /** Works the canonical form out now. */
  inCanonicalForm(): this {
    void this.key;
    void this.body;
    return this;
  }

  /** The flow as data; ports by name where `portName` knows one, by number elsewhere. */
  decode(portName: (port: number) => string | undefined = () => undefined): Flow {
    const { bytes, matchFrom, matchTo, instructionsFrom, instructionsTo } = this;
    const { bridge, table, priority, idleTimeout, hardTimeout } = this;
    return {
      bridge,
      table,
      priority,
      match: decodeMatch(bytes, matchFrom, matchTo, portName),
      actions: decodeInstructions(bytes, instructionsFrom, instructionsTo, portName),
      ...(idleTimeout === 0 ? {} : { idleTimeout }),
      ...(hardTimeout === 0 ? {} : { hardTimeout }),
    };
  }
}
