import { until } from './bed-command';
import { Running } from './bed-process';

/** Echo requests every 10 ms, from the moment the first is answered until it is stopped. */
export class PingStream {
  private constructor(private readonly ping: Running) {}

  static async start(
    within: (argv: readonly [program: string, ...argv: string[]]) => readonly [program: string, ...argv: string[]],
    address: string,
    logFile: string,
  ): Promise<PingStream> {
    const stream = new PingStream(Running.start(within(['ping', '-n', '-i', '0.01', address]), 'ping', logFile));
    await until(() => stream.answered().length > 0, { what: `${address} answers` });
    return stream;
  }

  /** Ends it. Requests that were still on their way count neither way. */
  async stop(): Promise<{ readonly answered: number; readonly lost: number }> {
    await this.ping.stop('SIGINT');
    const answered = new Set(this.answered());
    const [first, last] = [Math.min(...answered), Math.max(...answered)];
    return { answered: answered.size, lost: last - first + 1 - answered.size };
  }

  private answered(): readonly number[] {
    return [...this.ping.log().matchAll(/bytes from .* icmp_seq=(\d+) /g)].map(([, sequence]) => Number(sequence));
  }
}
