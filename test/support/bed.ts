/**
 * The fixture of system tests: real switches on hosts of their own, and if asked a real control plane.
 *
 *   const bed = await Bed.start({ hosts: 2, server: true });
 *   afterAll(() => bed.stop());
 *
 * Only inside a bed (test/run system, or test/bed/enter). Broker, database and server start when the first test file asks for
 * them, in a run of all tests already beside the first ones, and stay; hosts are made afresh for each file and by each reset().
 */

import { run } from './bed-command';
import { Host } from './bed-host';
import { NeutronRest } from './bed-rest';

export { CommandFailed, until } from './bed-command';
export { type FrameFields, frame } from './bed-frames';
export { Capture, Guest } from './bed-guest';
export { Host } from './bed-host';
export type { Ini } from './bed-ini';
export { PingStream } from './bed-pings';
export { Running } from './bed-process';
export { type NeutronAgent, type NeutronPort, NeutronRefused, NeutronRest, type Resource } from './bed-rest';

export interface BedOptions {
  /** One if not given. */
  readonly hosts?: number;
  /** Whether the test needs neutron-server (with broker and database). */
  readonly server?: boolean;
}

export class Bed {
  /** How agents reach the broker from any host. */
  readonly amqpUrl = 'amqp://guest:guest@198.18.0.1:5672/';
  private present: readonly Host[] = [];

  private constructor(
    private readonly folder: string,
    private readonly hostCount: number,
    private readonly server: NeutronRest | undefined,
  ) {}

  static async start({ hosts = 1, server = false }: BedOptions = {}): Promise<Bed> {
    const folder = process.env.PATCHBAY_BED;
    if (!folder) throw new Error('system tests run inside a bed: start them with "test/run system"');
    if (server) await run(['test/bed/service', 'neutron']);
    const bed = new Bed(folder, hosts, server ? new NeutronRest() : undefined);
    await bed.reset();
    return bed;
  }

  get hosts(): readonly Host[] {
    return this.present;
  }

  /** By number from 1, as in its name: host(1) is host1. After a reset() ask again. */
  host(number: number): Host {
    const host = this.present[number - 1];
    if (!host) throw new Error(`this bed has ${this.present.length} hosts, counted from 1, and no host ${number}`);
    return host;
  }

  get rest(): NeutronRest {
    if (!this.server) throw new Error('this bed has no neutron-server: ask for it with Bed.start({ server: true })');
    return this.server;
  }

  /** Fresh hosts with fresh switches, and an empty server: nothing of what ran before is left. */
  async reset(): Promise<void> {
    await this.stop();
    await this.makeHosts();
  }

  /** Fresh hosts with fresh switches, beside a server that keeps what it knows. */
  async replaceHosts(): Promise<void> {
    for (const host of this.present) await host.stopPrograms();
    await this.makeHosts();
  }

  /** Ends every program of the hosts and the hosts, and empties the server. The bed itself stays for the next test file. */
  async stop(): Promise<void> {
    for (const host of this.present) await host.stopPrograms();
    this.present = [];
    await run(['test/bed/hosts', 'down']);
    await this.server?.empty();
  }

  private async makeHosts(): Promise<void> {
    await run(['test/bed/hosts', 'up', String(this.hostCount)]);
    this.present = Array.from({ length: this.hostCount }, (_, index) => new Host(index + 1, this.folder));
  }
}
