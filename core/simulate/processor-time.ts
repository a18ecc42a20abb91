import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: what /proc/PID/stat counts in, on every Linux. */
const TICK_MS = 10;

/** Milliseconds of processor time of all processes on this machine whose command line has the word. */
export function processorMs(word: string): number {
  let total = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word)) continue;
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // proc(5): utime and stime are fields 14 and 15; the third follows the name's bracket.
      const [user, system] = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 13);
      total += (Number(user) + Number(system)) * TICK_MS;
    } catch {
      // It ended while it was looked at.
    }
  }
  return total;
}
