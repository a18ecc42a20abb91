import type { Socket } from 'node:net';
import { decodeError, OpenFlowConnectionError, type OpenFlowError } from './errors';
import { MessageFramer } from './framing';
import { Listeners } from './listeners';
import { OF13, OF14, OFPT, writeMessage } from './messages/header';
import { Requests } from './requests';
import { WireWriter } from './wire/writer';

/** OFPHET_VERSIONBITMAP (OpenFlow 1.3.5, 7.5.1). */
const VERSION_BITMAP = 1;

export interface ChannelTimes {
  /** Milliseconds of silence after which the switch is asked for a sign of life; 0: never. */
  readonly echoAfter: number;
  /** Milliseconds it has for it, and for the hello. */
  readonly patience: number;
}

function offeredVersions(hello: Buffer): readonly number[] {
  let at = 8;
  while (at + 4 <= hello.length) {
    const length = hello.readUInt16BE(at + 2);
    if (hello.readUInt16BE(at) === VERSION_BITMAP && at + 8 <= hello.length) {
      const bits = hello.readUInt32BE(at + 4);
      return [OF14, OF13].filter((version) => (bits & (1 << version)) !== 0);
    }
    at += Math.max(8, (length + 7) & ~7);
  }
  const highest = hello[0] ?? 0;
  return [OF14, OF13].filter((version) => version <= highest);
}

/** One OpenFlow channel over a connected socket: hello, echo, framing, and answers matched to requests. */
export class Channel {
  readonly requests = new Requests();
  /** Messages that answer no request. */
  readonly unsolicited = new Listeners<Buffer>();
  readonly closed = new Listeners<Error | undefined>();
  /** Agreed version: 4 is OpenFlow 1.3, 5 is 1.4. */
  version = 0;

  private readonly framer = new MessageFramer();
  private readonly writer = new WireWriter();
  private echoTimer: NodeJS.Timeout | undefined;
  private heard = true;
  private ended = false;
  private helloDone: ((error?: Error) => void) | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly versions: readonly number[],
    private readonly times: ChannelTimes,
  ) {
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (cause) =>
      this.end(new OpenFlowConnectionError(`the OpenFlow connection failed: ${cause.message}`, { cause })),
    );
    socket.on('close', () => this.end(new OpenFlowConnectionError('the switch closed the OpenFlow connection')));
  }

  /** Exchanges hellos and agrees on a version. @throws OpenFlowConnectionError when there is none in common. */
  async greet(): Promise<void> {
    const bitmap = this.versions.reduce((bits, version) => bits | (1 << version), 0);
    const greeting = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => this.helloDone?.(new OpenFlowConnectionError('the switch did not say hello')),
        this.times.patience,
      );
      this.helloDone = (error) => {
        clearTimeout(timer);
        this.helloDone = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
    });
    writeMessage(this.writer, Math.max(...this.versions), OFPT.HELLO, this.requests.take(), () => {
      this.writer.u16(VERSION_BITMAP);
      this.writer.u16(8);
      this.writer.u32(bitmap);
    });
    this.write(this.writer.take()).catch((error: Error) => this.helloDone?.(error));
    await greeting;
    if (this.times.echoAfter > 0) {
      this.echoTimer = setInterval(() => this.checkAlive(), this.times.echoAfter);
      this.echoTimer.unref();
    }
  }

  /** Sends bytes; resolves when the socket takes more, so that a long run of messages waits for the switch to read. */
  write(bytes: Buffer): Promise<void> {
    if (this.ended) return Promise.reject(new OpenFlowConnectionError('the OpenFlow connection is closed'));
    if (this.socket.write(bytes)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const drained = () => {
        this.socket.off('close', lost);
        resolve();
      };
      const lost = () => {
        this.socket.off('drain', drained);
        reject(new OpenFlowConnectionError('the OpenFlow connection was lost while sending'));
      };
      this.socket.once('drain', drained);
      this.socket.once('close', lost);
    });
  }

  /** Sends one message and settles with the first answer's bytes or, with `collect`, when it says that it has them all. */
  request(
    type: number,
    body: (writer: WireWriter) => void,
    collect: (message: Buffer) => 'settled' | 'more' = () => 'settled',
  ): Promise<Buffer> {
    const xid = this.requests.take();
    const answer = new Promise<Buffer>((resolve, reject) => {
      this.requests.await(xid, {
        message: (message) => {
          try {
            const state = collect(message);
            if (state === 'settled') resolve(message);
            return state;
          } catch (error) {
            reject(error);
            return 'settled';
          }
        },
        fail: reject,
      });
    });
    const send = async () => {
      writeMessage(this.writer, this.version, type, xid, () => body(this.writer));
      await this.write(this.writer.take());
    };
    send().catch((error: Error) => this.requests.refused(xid, error as OpenFlowError));
    return answer;
  }

  /** Sends a message that nothing answers. */
  tell(type: number, body: (writer: WireWriter) => void): Promise<void> {
    writeMessage(this.writer, this.version, type, this.requests.take(), () => body(this.writer));
    return this.write(this.writer.take());
  }

  close(): Promise<void> {
    if (this.ended) return Promise.resolve();
    return new Promise((resolve) => {
      this.socket.once('close', () => resolve());
      this.end(undefined);
    });
  }

  private end(reason: Error | undefined): void {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.echoTimer);
    this.socket.destroy();
    const failure = reason ?? new OpenFlowConnectionError('the OpenFlow connection was closed');
    this.helloDone?.(failure);
    this.requests.abandon(failure);
    this.closed.tell(reason);
  }

  private checkAlive(): void {
    if (!this.heard) {
      this.end(new OpenFlowConnectionError(`the switch was silent for ${2 * this.times.echoAfter} ms`));
      return;
    }
    this.heard = false;
    this.tell(OFPT.ECHO_REQUEST, () => {}).catch(() => {});
  }

  private receive(chunk: Buffer): void {
    this.heard = true;
    try {
      this.framer.push(chunk, (message) => this.take(message));
    } catch (cause) {
      this.end(new OpenFlowConnectionError('the switch sent what is not OpenFlow', { cause }));
    }
  }

  private take(message: Buffer): void {
    const type = message[1];
    const xid = message.readUInt32BE(4);
    switch (type) {
      case OFPT.HELLO:
        this.agree(message);
        return;
      case OFPT.ECHO_REQUEST: {
        const reply = Buffer.from(message);
        reply[1] = OFPT.ECHO_REPLY;
        this.write(reply).catch(() => {});
        return;
      }
      case OFPT.ERROR: {
        const error = decodeError(message[0] ?? OF13, message);
        if (this.helloDone !== undefined) this.helloDone(error);
        else if (!this.requests.refused(xid, error)) this.unsolicited.tell(message);
        return;
      }
      case OFPT.PACKET_IN:
      case OFPT.PORT_STATUS:
      case OFPT.FLOW_REMOVED:
        this.unsolicited.tell(message);
        return;
      default:
        if (xid === 0) this.unsolicited.tell(message);
        else this.requests.answered(xid, message);
    }
  }

  private agree(hello: Buffer): void {
    const offered = offeredVersions(hello);
    const version = offered.find((candidate) => this.versions.includes(candidate));
    if (version === undefined) {
      this.helloDone?.(
        new OpenFlowConnectionError(
          "the bridge speaks neither OpenFlow 1.3 nor 1.4; add one to its 'protocols' column",
        ),
      );
      return;
    }
    this.version = version;
    this.helloDone?.();
  }
}
