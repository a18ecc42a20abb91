import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Of an agent, with all its processes. */
export interface Usage {
  /** Milliseconds of processor time since they started, children that ended included. */
  readonly cpuMs: number;
  /** Resident memory as each process counts it; what several share is counted for each. */
  readonly rssMiB: number;
  /** Of the largest of the processes. */
  readonly largestMiB: number;
  readonly processes: number;
}

/** USER_HZ: what /proc/PID/stat counts in, on every Linux. */
const TICK_MS = 10;
const SWITCH = /^(ovs-vswitchd|ovsdb-server|sleep|bash)$/;

/** What an agent's processes use: those that live in the given process's mounts (a host of the bed) and are no part of its switch. */
export function usageBeside(hostProcess: number): Usage {
  const mounts = readlinkSync(`/proc/${hostProcess}/ns/mnt`);
  const parts = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => usageOf(pid, mounts) ?? []);
  const sum = (of: (part: Usage) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    cpuMs: sum((part) => part.cpuMs),
    rssMiB: sum((part) => part.rssMiB),
    largestMiB: Math.max(0, ...parts.map((part) => part.rssMiB)),
    processes: parts.length,
  };
}

/** Undefined for a process that is elsewhere, the switch's, or gone meanwhile. */
function usageOf(pid: string, mounts: string): Usage | undefined {
  try {
    if (readlinkSync(`/proc/${pid}/ns/mnt`) !== mounts) return undefined;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    if (SWITCH.test(name)) return undefined;
    // proc(5): utime, stime, cutime and cstime are fields 14 to 17; the third follows the name's bracket.
    const ticks = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const rssMiB = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
    return {
      cpuMs: ticks.reduce((total, each) => total + Number(each), 0) * TICK_MS,
      rssMiB,
      largestMiB: rssMiB,
      processes: 1,
    };
  } catch {
    return undefined;
  }
}
