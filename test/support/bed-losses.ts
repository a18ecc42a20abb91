import type { Bed } from './bed';
import { PingStream } from './bed-pings';

const ATTEMPTS = 3;

/**
 * Pings between the underlay addresses of the hosts: the same switches forward them as what tests measure, as often in a second as three
 * streams, and no agent has a hand in them. Where the machine lets ovs-vswitchd stand still for a moment, they are lost too.
 */
export class UnderlayPings {
  private constructor(private readonly streams: readonly PingStream[]) {}

  /** From the first host to each of the others. */
  static async start({ hosts: [first, ...others] }: Bed): Promise<UnderlayPings> {
    if (first === undefined) throw new Error('the bed has no host');
    const to = (address: string) =>
      PingStream.start((argv) => first.within(argv), address, first.logFile('underlay-pings'), { everyMs: 3 });
    return new UnderlayPings(await Promise.all(others.map(({ underlay }) => to(underlay.ipv4))));
  }

  /** Ends them and answers how many were lost. */
  async stop(): Promise<number> {
    return sum(await lostOf(this.streams));
  }
}

/**
 * How many each stream lost while something was done. Losses on a machine that lost underlay pings at the same time say nothing: it is done
 * and measured again, after `undo` where it cannot be done twice.
 */
export async function lostDuring(
  bed: Bed,
  streams: () => Promise<readonly PingStream[]>,
  act: () => Promise<void>,
  undo: () => Promise<void> = async () => {},
): Promise<readonly number[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await undo();
    const beside = await UnderlayPings.start(bed);
    const measured = await streams();
    await act();
    const lost = await lostOf(measured);
    const lostBeside = await beside.stop();
    if (sum(lost) === 0 || lostBeside === 0) return lost;
  }
  throw new Error(`this machine loses packets beside what is measured, ${ATTEMPTS} times`);
}

const lostOf = async (streams: readonly PingStream[]): Promise<readonly number[]> =>
  (await Promise.all(streams.map((stream) => stream.stop()))).map(({ lost }) => lost);

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
