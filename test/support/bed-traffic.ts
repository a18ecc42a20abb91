import { join } from 'node:path';
import { repository, until } from './bed-command';
import type { Guest } from './bed-guest';
import type { Host } from './bed-host';
import type { Running } from './bed-process';

const program = join(repository, 'test/bed/traffic');

const inGuest = (guest: Guest, ...words: readonly string[]) =>
  ['ip', 'netns', 'exec', guest.namespace, program, ...words] as const;

const ANSWERS = ['answered', 'refused', 'silent'] as const;

/** Answers whoever asks at the guest's address. Ends with the host. */
export async function serve(
  host: Host,
  guest: Guest,
  kind: 'tcp' | 'udp',
  address: string,
  port: number,
): Promise<Running> {
  const server = host.start('traffic-server', inGuest(guest, 'serve', kind, address, String(port)));
  await server.untilLogged(/serving/);
  return server;
}

/** Whether one question is answered within a second; `refused`: an ICMP error came back for a datagram. `from` is the port that it comes from. */
export async function answers(
  guest: Guest,
  kind: 'tcp' | 'udp',
  address: string,
  port: number,
  from?: number,
): Promise<'answered' | 'refused' | 'silent'> {
  const words = ['ask', kind, address, String(port), ...(from === undefined ? [] : [String(from)])];
  const said = await guest.exec(program, ...words);
  return ANSWERS.find((answer) => said.trim() === answer) ?? 'silent';
}

/** Waits until one asked like {@link answers} is answered so: a machine that pauses answers nobody within a second. */
export async function untilAnswered(
  question: readonly [guest: Guest, kind: 'tcp' | 'udp', address: string, port: number, from?: number],
  wanted: 'answered' | 'refused' | 'silent' = 'answered',
): Promise<void> {
  const [{ interfaceName }, kind, address, port, from] = question;
  await until(
    async () => {
      const said = await answers(...question);
      if (said === wanted) return true;
      throw new Error(said);
    },
    { what: `${interfaceName} from ${kind} port ${from ?? 'any'} to ${address} port ${port} is ${wanted}` },
  );
}

/** Whether a stream is meant to be cut, and ends where three seconds bring no answer, or to last, and waits a minute for each. */
export type StreamFate = 'will be cut' | 'lasts';

/** One TCP connection that messages go back and forth on. */
export class Stream {
  private constructor(private readonly client: Running) {}

  static async open(
    host: Host,
    guest: Guest,
    address: string,
    port: number,
    fate: StreamFate,
    from?: number,
  ): Promise<Stream> {
    const words = [fate === 'lasts' ? 'stream' : 'frail-stream', address, String(port)];
    const client = host.start(
      'traffic-stream',
      inGuest(guest, ...words, ...(from === undefined ? [] : [String(from)])),
    );
    await client.untilLogged(/streaming/);
    return new Stream(client);
  }

  /** Waits until the connection has gone dead, which it takes three seconds to know. */
  async untilCut(): Promise<void> {
    await until(() => /, cut/.test(this.client.log()), { what: 'the connection is cut' });
  }

  /** Ends the stream. */
  async close(): Promise<{ readonly answered: number; readonly longestWaitMs: number; readonly cut: boolean }> {
    if (this.client.isRunning) process.kill(-this.client.pid, 'SIGTERM');
    await this.client.ended;
    const found = /(\d+) answered, longest wait (\d+) ms(, cut)?/.exec(this.client.log());
    if (found === null) throw new Error(`the stream says: ${this.client.log()}`);
    return { answered: Number(found[1]), longestWaitMs: Number(found[2]), cut: found[3] !== undefined };
  }
}
