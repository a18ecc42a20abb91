/**
 * Preloaded into an agent that is measured: whoever connects to the socket that PATCHBAY_BENCH_LOOP names is told the longest stretch of
 * work, in milliseconds, that the event loop was kept busy with since the last time somebody asked. Processor time of the main thread is
 * counted, by which other programs of the machine make no difference.
 */
const { openSync, readSync } = require('node:fs');
const { createServer } = require('node:net');

const path = process.env.PATCHBAY_BENCH_LOOP;
const LOOK_MS = 2;

if (path !== undefined) {
  const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  const bytes = Buffer.alloc(64);
  /** Milliseconds of the main thread's; the first number of the file, in nanoseconds. */
  const processorTime = () => Number.parseInt(bytes.toString('latin1', 0, readSync(file, bytes, 0, 64, 0)), 10) / 1e6;
  let last = processorTime();
  let longest = 0;
  setInterval(() => {
    const now = processorTime();
    longest = Math.max(longest, now - last);
    last = now;
  }, LOOK_MS).unref();
  createServer((socket) => {
    socket.end(String(longest));
    longest = 0;
  })
    .listen(path)
    .unref();
}
