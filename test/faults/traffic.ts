import { join } from 'node:path';
import type { Host } from '../support/bed';
import { repository, run } from '../support/bed-command';
import { Running } from '../support/bed-process';

/** What became of one stream: a packet every 10 ms. */
export interface StreamOutcome {
  readonly sent: number;
  readonly lost: number;
  readonly longestGapMs: number;
  /** Why the connection ended; empty while it stands. */
  readonly broken: string;
}

export interface Outcome {
  readonly ping: StreamOutcome;
  readonly udp: StreamOutcome;
  readonly tcp: StreamOutcome;
}

const PROGRAM = join(repository, 'test/faults/streams');

/**
 * An instance on a veth pair: the end that is plugged outlives a restart of ovs-vswitchd, as the tap of a virtual machine does on a
 * kernel datapath.
 */
export class Instance {
  readonly interfaceName: string;
  private readonly namespace: string;

  constructor(
    readonly host: Host,
    readonly portId: string,
    readonly mac: string,
    readonly address: string,
  ) {
    this.interfaceName = `tap${portId.slice(0, 11)}`;
    this.namespace = `vm-${portId.slice(0, 11)}`;
  }

  async plug(): Promise<void> {
    const { host, namespace, interfaceName: tap, mac } = this;
    const off = 'tx off sg off tso off gso off gro off';
    await host.exec(
      [
        `ip netns add ${namespace}`,
        `ip link add ${tap} type veth peer name eth0 netns ${namespace}`,
        `ethtool -K ${tap} ${off} >/dev/null`,
        `ip netns exec ${namespace} ethtool -K eth0 ${off} >/dev/null`,
        `ip -n ${namespace} link set eth0 address ${mac} mtu 1400 up`,
        `ip -n ${namespace} address add ${this.address}/24 dev eth0`,
        `ip link set ${tap} up`,
      ].join(' && '),
    );
    await this.addToBridge();
  }

  /** The row, of a device that is there. */
  async addToBridge(): Promise<void> {
    await this.host.vsctl(...this.row());
  }

  /** The row alone: ovs-vswitchd finds no device of that name. */
  async plugWithoutDevice(): Promise<void> {
    await this.host.exec(['ovs-vsctl', '--no-wait', ...this.row()]);
  }

  private row(): readonly string[] {
    const { interfaceName: tap, portId, mac } = this;
    const marks = { 'iface-id': portId, 'attached-mac': mac, 'iface-status': 'active', 'vm-uuid': portId };
    const externalIds = Object.entries(marks).map(([key, value]) => `external_ids:${key}="${value}"`);
    return ['--may-exist', 'add-port', 'br-int', tap, '--', 'set', 'Interface', tap, ...externalIds];
  }

  async unplug(): Promise<void> {
    await this.host.vsctl('--if-exists', 'del-port', this.interfaceName);
    await this.host.exec(`ip link delete ${this.interfaceName}; ip netns delete ${this.namespace}`);
  }

  async answers(address: string): Promise<boolean> {
    const report = await run(this.within(['bash', '-c', `ping -n -q -c 1 -W 1 ${address} || true`]));
    return report.includes(' 1 received');
  }

  serve(): Running {
    return this.start('traffic-serve', ['serve']);
  }

  /** Resolves when all three streams are answered. */
  async drive(address: string): Promise<Traffic> {
    const running = this.start('traffic-drive', ['drive', address]);
    await running.untilLogged(/ready/, { timeoutMs: 90_000 });
    return new Traffic(running);
  }

  private start(name: string, words: readonly string[]): Running {
    return Running.start(this.within([PROGRAM, ...words]), name, this.host.logFile(name));
  }

  private within(argv: readonly [string, ...string[]]): readonly [string, ...string[]] {
    return this.host.within(['ip', 'netns', 'exec', this.namespace, ...argv]);
  }
}

/** Traffic on its way, until it is stopped. */
export class Traffic {
  constructor(private readonly running: Running) {}

  async stop(): Promise<Outcome> {
    await this.running.stop('SIGTERM', 10_000);
    const line = this.running
      .log()
      .split('\n')
      .findLast((text) => text.startsWith('{'));
    if (line === undefined) throw new Error(`the traffic ended early:\n${this.running.log()}`);
    return JSON.parse(line) as Outcome;
  }
}
