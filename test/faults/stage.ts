import { Bed, type Host, type Ini, type Resource, type Running, until } from '../support/bed';
import { addressOf, statusOf, untilReady } from '../support/bed-agent';
import { mergeIni } from '../support/bed-ini';
import { createNetworkOf } from '../support/bed-ports';
import { untilNothingIsToWrite } from '../support/bed-settled';
import { changedBetween, differences, type Installed, installedOn } from './installed';
import { flowsInWords, NotYet, noteOf } from './note';
import { Instance, type Outcome } from './traffic';

export type AgentKind = 'patchbay' | 'reference';

/** One fault under traffic. */
export interface Measurement {
  readonly outcome: Outcome;
  /** Undefined where the switch lost its flows with the fault. */
  readonly flowsChanged: number | undefined;
  /** Milliseconds from the fault to the agent's being in sync; undefined where it never was. */
  readonly inSyncMs: number | undefined;
  /** Milliseconds from the fault to where the measurement ended, in sync or not. */
  readonly waitedMs: number;
  readonly recovered: boolean;
  readonly detail: string;
}

/** Enough for a slow and busy machine: what comes in time does not wait for it. The reference agent asks the server for all there is after every restart, in several rounds. */
const PATIENCE_MS = { patchbay: 120_000, reference: 120_000 } as const;

/** Settings of agents as the bed has them. */
export const PLAIN: Ini = {};

/** Two hosts with one agent each, a VLAN network with an instance on both, and a control plane. Faults are on the first host. */
export class Stage {
  agent: Running | undefined;
  private networks: { readonly vlan: Resource; readonly vxlan: Resource } | undefined;
  private instances: Instance[] = [];
  private servants: Running[] = [];
  private kind: AgentKind = 'patchbay';
  settings: Ini = PLAIN;
  /** The kind of agent that was started last on the first host. */
  running: AgentKind = 'patchbay';

  private constructor(readonly bed: Bed) {}

  static async start(): Promise<Stage> {
    return new Stage(await Bed.start({ hosts: 2, server: true }));
  }

  get host(): Host {
    return this.bed.host(1);
  }

  /** Fresh hosts under agents of the kind, and two instances that reach each other on either network. */
  async set(kind: AgentKind, settings: Ini = PLAIN): Promise<void> {
    this.kind = kind;
    this.settings = settings;
    this.instances = [];
    this.servants = [];
    await this.bed.reset();
    this.startAgent(kind);
    this.startAgent(kind, this.bed.host(2));
    await Promise.all(this.bed.hosts.map(({ name }) => this.bed.rest.untilAgentIsAlive(name)));
    const vlan = await createNetworkOf(this.bed, 'vlan', 100, '10.0.0.0/24');
    const vxlan = await createNetworkOf(this.bed, 'vxlan', 200, '10.1.0.0/24');
    this.networks = { vlan, vxlan };
    for (const network of [vlan, vxlan]) {
      for (const host of this.bed.hosts) this.instances.push(await this.instanceOn(host, network));
    }
    await this.bed.rest.untilPortsAre(
      'ACTIVE',
      this.instances.map(({ portId }) => portId),
    );
    for (const server of [this.instance(1), this.instance(3)]) this.servants.push(server.serve());
    await until(() => this.reaches(), { what: 'the instances reach each other' });
    await until(() => this.standsStill(), { timeoutMs: this.patienceMs, what: 'the flows stand still' });
  }

  /** The reference agent goes on writing long after ports are ACTIVE. */
  private async standsStill(): Promise<boolean> {
    const before = await installedOn(this.host);
    await pause(this.kind === 'reference' ? 6_000 : 1_000);
    return changedBetween(before, await installedOn(this.host)) === 0;
  }

  /** Patchbay has nothing left to write: of a port that was just unplugged, for one. The reference agent cannot be asked. */
  private async untilDone(timeoutMs: number): Promise<void> {
    if (this.running === 'patchbay' && this.agent?.isRunning === true)
      await untilNothingIsToWrite(this.host, { timeoutMs });
  }

  /** 0 and 1 are on the VLAN network, 2 and 3 on the tunnelled one; even ones on the first host. */
  instance(index: number): Instance {
    const found = this.instances[index];
    if (found === undefined) throw new Error('the stage is not set');
    return found;
  }

  /** `more`: settings besides those that the stage was set with. */
  startAgent(kind: AgentKind, host = this.host, more: Ini = {}): Running {
    const ini = mergeIni(this.settings, more);
    const agent = kind === 'patchbay' ? host.startPatchbay({ ini }) : host.startReferenceAgent(ini);
    if (host !== this.host) return agent;
    this.agent = agent;
    this.running = kind;
    return agent;
  }

  /** The agent of the first host, started anew, has synchronised. */
  async agentSynced(kind: AgentKind): Promise<void> {
    const agent = this.agent as Running;
    if (kind === 'reference')
      await agent.untilLogged(/Configuration for devices up/, { timeoutMs: PATIENCE_MS.reference });
    else await untilReady(this.host, { timeoutMs: PATIENCE_MS.patchbay, everyMs: 50 });
  }

  /** What the server asks next is done: a port that is plugged becomes ACTIVE. */
  async probe(): Promise<void> {
    const plugged = () => this.instanceOn(this.host, this.vlan);
    await this.untilServed(await until(plugged, { timeoutMs: this.patienceMs, what: 'a port can be plugged' }));
  }

  /** Waits until the instance's port is ACTIVE, and takes it away. */
  async untilServed(instance: Instance): Promise<void> {
    await this.bed.rest.untilPortsAre('ACTIVE', [instance.portId], { timeoutMs: this.patienceMs, everyMs: 100 });
    await instance.unplug();
    await this.bed.rest.deletePort(instance.portId);
  }

  /** An instance of the first host on the VLAN network whose port the server knows, and that is not plugged yet. */
  async prepared(host = this.host, network = this.vlan): Promise<Instance> {
    const port = await this.bed.rest.createPort(network.id, host.name);
    return new Instance(host, port.id, port.mac_address, addressOf(port));
  }

  async instanceOn(host: Host, network: Resource): Promise<Instance> {
    const instance = await this.prepared(host, network);
    await instance.plug();
    return instance;
  }

  get patienceMs(): number {
    return PATIENCE_MS[this.kind];
  }

  get vlan(): Resource {
    if (this.networks === undefined) throw new Error('the stage is not set');
    return this.networks.vlan;
  }

  /** Both pairs of instances answer each other; rejects with the pair that does not. */
  async reaches(): Promise<true> {
    const pairs = [
      ['VLAN', this.instance(0), this.instance(1)],
      ['tunnelled', this.instance(2), this.instance(3)],
    ] as const;
    await Promise.all(
      pairs.map(async ([network, one, other]) => {
        if (!(await one.answers(other.address))) throw new NotYet(`no answer on the ${network} network`);
      }),
    );
    return true;
  }

  /**
   * Lets the fault happen under traffic and waits until everything is as before it. `synced` says when the agent is in sync again,
   * besides the flows' being those from before.
   */
  async under(
    fault: () => Promise<void>,
    options: {
      readonly synced?: () => Promise<unknown>;
      readonly flows?: 'same' | 'any';
      readonly rewritten?: boolean;
      readonly network?: 'vlan' | 'vxlan';
      readonly patienceMs?: number;
    } = {},
  ): Promise<Measurement> {
    const { synced = async () => undefined, flows = 'same', rewritten = false, patienceMs = this.patienceMs } = options;
    await until(() => this.reaches(), { timeoutMs: patienceMs, what: 'instances reach each other before the fault' });
    await this.untilDone(patienceMs);
    const before = await installedOn(this.host);
    const hadAgent = this.agent?.isRunning === true;
    const first = options.network === 'vxlan' ? 2 : 0;
    const traffic = await this.instance(first).drive(this.instance(first + 1).address);
    await pause(500);
    const started = performance.now();
    const elapsedMs = (): number => performance.now() - started;
    let detail = '';
    let inSyncMs: number | undefined;
    let after: Installed = before;
    try {
      await fault();
      await synced();
      await until(
        async () => {
          after = await installedOn(this.host);
          const different = flows === 'any' ? [] : differences(before, after, this.kind);
          if (different.length > 0) throw new NotYet(flowsInWords(different));
          if (hadAgent && this.agent?.isRunning !== true) throw new NotYet('the agent has ended');
          return this.reaches();
        },
        { timeoutMs: patienceMs, everyMs: 100, what: 'the flows are as before and instances reach each other' },
      );
      inSyncMs = elapsedMs();
    } catch (error) {
      detail = noteOf(error);
    }
    const waitedMs = elapsedMs();
    await pause(1_000);
    const outcome = await traffic.stop();
    after = await installedOn(this.host);
    return {
      outcome,
      flowsChanged: rewritten ? undefined : changedBetween(before, after),
      inSyncMs,
      waitedMs,
      recovered: inSyncMs !== undefined,
      detail,
    };
  }

  /** The process of the first host's agent. */
  agentPid(): number {
    if (this.agent === undefined) throw new Error('no agent was started');
    return this.agent.pid;
  }

  /** What the first host's Patchbay says of itself in its status. */
  status = () => statusOf(this.host);

  stop(): Promise<void> {
    return this.bed.stop();
  }
}

export const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));
