import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { repository } from '../support/bed-command';

/** Of the agent's host. */
const SOCKET = '/run/patchbay-bench-loop.sock';

/** Asks a measured agent for how long its event loop was kept from other work. */
export class WatchedLoop {
  /** What the agent must be started with. */
  readonly environment = {
    NODE_OPTIONS: `--require ${join(repository, 'test/bench/loop-delay.js')}`,
    PATCHBAY_BENCH_LOOP: SOCKET,
  };

  /** `root`: the agent's file system, seen from here. */
  constructor(private readonly root: string) {}

  /** The longest stretch since the last call, in milliseconds. */
  async longestStretch(): Promise<number> {
    return Number(await text(connect(join(this.root, SOCKET))));
  }
}
