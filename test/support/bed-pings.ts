import { until } from './bed-command';
import { Running } from './bed-process';

const ROUND = 1 << 16;

/** Echo requests, every 10 ms unless told otherwise, from the moment the first is answered until it is stopped. */
export class PingStream {
  private constructor(private readonly ping: Running) {}

  static async start(
    within: (argv: readonly [program: string, ...argv: string[]]) => readonly [program: string, ...argv: string[]],
    address: string,
    logFile: string,
    { everyMs = 10 }: { readonly everyMs?: number } = {},
  ): Promise<PingStream> {
    const interval = String(everyMs / 1000);
    const stream = new PingStream(Running.start(within(['ping', '-n', '-i', interval, address]), 'ping', logFile));
    await until(() => stream.answered().length > 0, { what: `${address} answers` });
    return stream;
  }

  /** Ends it. Requests that were still on their way count neither way. */
  async stop(): Promise<{ readonly answered: number; readonly lost: number }> {
    await this.ping.stop('SIGINT');
    const answered = [...new Set(this.answered())].sort((one, other) => one - other);
    const [first, last] = [answered[0] ?? 0, answered.at(-1) ?? 0];
    return { answered: answered.length, lost: last - first + 1 - answered.length };
  }

  /** Numbers of the requests that were answered: on the wire they have 16 bits, and begin anew. */
  private answered(): readonly number[] {
    const numbers: number[] = [];
    for (const [, text] of this.ping.log().matchAll(/bytes from .* icmp_seq=(\d+) /g)) {
      const [latest, number] = [numbers.at(-1) ?? 0, Number(text)];
      numbers.push(number + ROUND * Math.round((latest - number) / ROUND));
    }
    return numbers;
  }
}
