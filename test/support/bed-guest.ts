import { join } from 'node:path';
import { repository, run, type UntilOptions, until } from './bed-command';
import { PingStream } from './bed-pings';
import { Running } from './bed-process';

/** Where a guest lives: what {@link Guest} and {@link Capture} need of a host. */
export interface GuestHost {
  /** The given program as it must be started to run in this host. */
  within(argv: readonly [program: string, ...argv: string[]]): readonly [program: string, ...argv: string[]];
  vsctl(...words: readonly string[]): Promise<string>;
  /** A path for a new log file of this host. */
  logFile(name: string): string;
}

export interface PingResult {
  readonly sent: number;
  readonly received: number;
}

/** Frames seen on an interface, one line of tcpdump (`-e -nn`, no times) each, from the moment the capture was made until it is stopped. */
export class Capture {
  private constructor(private readonly tcpdump: Running) {}

  static async start(
    within: GuestHost['within'],
    interfaceName: string,
    { filter = '', direction = 'inout' }: CaptureOptions,
    logFile: string,
  ): Promise<Capture> {
    const words = ['-i', interfaceName, '-Q', direction, '-e', '-nn', '-t', '-l', '--immediate-mode'] as const;
    const tcpdump = Running.start(within(['tcpdump', ...words, filter]), 'tcpdump', logFile);
    await tcpdump.untilLogged(/listening on/);
    return new Capture(tcpdump);
  }

  frames(): readonly string[] {
    const reports = /^(tcpdump: |listening on |dropped privs|\d+ packets? |$)/;
    return this.tcpdump
      .log()
      .split('\n')
      .filter((line) => !reports.test(line) && !line.startsWith('\t'));
  }

  get count(): number {
    return this.frames().length;
  }

  /** Waits until a frame of that kind was seen: what a capture is asked at once, tcpdump may not have written yet. */
  async untilSeen(pattern: RegExp, options: UntilOptions = {}): Promise<void> {
    await until(
      () => {
        if (this.frames().some((line) => pattern.test(line))) return true;
        throw new Error(this.frames().join('\n') || 'no frame');
      },
      { what: `a frame of ${pattern} is seen`, ...options },
    );
  }

  /** Ends the capture and gives every frame it saw: all that had come by now, for what tcpdump has not yet read when it ends it never prints. */
  async stop(): Promise<readonly string[]> {
    await until(() => this.tcpdump.isAtRest, { everyMs: 5, what: 'tcpdump has read what came' });
    await this.tcpdump.stop('SIGINT');
    return this.frames();
  }
}

export interface CaptureOptions {
  /** As in pcap-filter(7); all frames if not given. There `vlan` moves the offsets of all that follows it: write it last. */
  readonly filter?: string;
  /** Seen from the interface: `in` is what it received. */
  readonly direction?: 'in' | 'out' | 'inout';
}

export interface ReachOptions {
  readonly count?: number;
  readonly timeoutMs?: number;
}

/** Frames that wait in a tap while ovs-vswitchd stands still: at one every 10 ms enough for a minute and a half, where 500 of a tap's own are gone after five seconds. */
const QUEUE = '10000';

/** What an instance would be: a network namespace that holds the interface Open vSwitch made for a port. */
export class Guest {
  private captures = 0;
  private plugged = true;

  constructor(
    private readonly host: GuestHost,
    readonly portId: string,
    readonly interfaceName: string,
    readonly mac: string,
    readonly addresses: readonly string[],
  ) {
    this.namespace = `guest-${portId.slice(0, 11)}`;
  }

  readonly namespace: string;

  get isPlugged(): boolean {
    return this.plugged;
  }

  /** Removes what a switch that was restarted no longer holds: its tap outlives it, under the name the new one needs. */
  async detach(): Promise<void> {
    await this.exec('ip', 'link', 'delete', this.interfaceName);
  }

  /** Takes the interface that Open vSwitch made for the port into the guest, with its MAC and addresses. */
  async attach(): Promise<void> {
    const name = this.interfaceName;
    await run(this.host.within(['ip', 'link', 'set', name, 'address', this.mac, 'netns', this.namespace]));
    for (const address of this.addresses) {
      const detection = address.includes(':') ? ['nodad'] : [];
      await this.exec('ip', 'address', 'add', address, 'dev', name, ...detection);
    }
    await this.exec('ip', 'link', 'set', 'lo', 'up');
    await this.exec('ip', 'link', 'set', name, 'txqueuelen', QUEUE, 'up');
  }

  /** Runs a program in the guest and gives what it wrote. */
  exec(program: string, ...argv: readonly string[]): Promise<string> {
    return run(this.within([program, ...argv]));
  }

  /**
   * Sends echo requests, of IPv4 or IPv6 as the address is, and waits a second for the answers. All at once (-l): where some have been
   * answered when the last is sent, ping waits for that one no longer than its interval.
   */
  async ping(address: string, { count = 3 }: { readonly count?: number } = {}): Promise<PingResult> {
    const report = await this.exec('bash', '-c', `ping -n -q -l ${count} -W 1 -c ${count} ${address} || true`);
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(report) ?? [];
    if (sent === undefined) throw new Error(`ping of ${address} from ${this.interfaceName} says:\n${report}`);
    return { sent: Number(sent), received: Number(received) };
  }

  /** Waits until all of so many (3) echo requests in a row are answered. */
  async untilReaches(address: string, { count = 3, timeoutMs }: ReachOptions = {}): Promise<void> {
    await until(
      async () => {
        const { received } = await this.ping(address, { count });
        if (received === count) return true;
        throw new Error(`${received} of ${count} answered`);
      },
      { what: `${this.interfaceName} reaches ${address}`, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
    );
  }

  /** Sends echo requests every 10 ms until the stream is stopped. */
  pingOn(address: string): Promise<PingStream> {
    return PingStream.start((argv) => this.within(argv), address, this.host.logFile(`${this.interfaceName}-pings`));
  }

  /** Sends frames as they are, each `count` times (once). */
  async send(frames: readonly Buffer[], { count = 1 }: { readonly count?: number } = {}): Promise<void> {
    const program = join(repository, 'test/bed/send-frames');
    await this.exec(program, this.interfaceName, String(count), ...frames.map((frame) => frame.toString('hex')));
  }

  /** Watches what arrives at the guest (direction `in` unless another is given). */
  capture(options: CaptureOptions = {}): Promise<Capture> {
    this.captures += 1;
    const logFile = this.host.logFile(`${this.interfaceName}-capture${this.captures}`);
    return Capture.start((argv) => this.within(argv), this.interfaceName, { direction: 'in', ...options }, logFile);
  }

  /** Removes the port from its bridge and the guest with it, as Nova does when an instance is deleted. */
  async unplug(): Promise<void> {
    this.plugged = false;
    await this.host.vsctl('--if-exists', 'del-port', this.interfaceName);
    await run(this.host.within(['ip', 'netns', 'delete', this.namespace]));
  }

  private within(argv: readonly [program: string, ...argv: string[]]) {
    return this.host.within(['ip', 'netns', 'exec', this.namespace, ...argv]);
  }
}
