import {
  type DesiredState,
  type IsolatedPort,
  type Jobs,
  type KeyProgress,
  type Logger,
  type PortDescription,
  type PortState,
  reasonOf,
  type Vif,
} from '@patchbay/sdk';
import { Attachment, type AttachmentSurroundings } from './attachment';
import type { Describer } from './describer';
import { PortBindingErrors } from './errors';
import { keptGate, portKey, shutGate } from './gate';
import { History } from './history';
import { Rebinding, reportIsLost } from './rebinding';
import type { Reporter } from './reporter';
import { StatedGate } from './stated-gate';
import { sameWiring, type Verdict, verdictOf } from './verdict';

export interface Surroundings extends AttachmentSurroundings {
  readonly describer: Describer;
  readonly reporter: Reporter;
  readonly desired: DesiredState;
  readonly jobs: Jobs;
  readonly logger: Logger;
  /** What plugins have to do before they are told of the port. */
  readonly prepare: (port: PortDescription) => Promise<void>;
  /** The port came to rest, or left it. */
  readonly settled: () => void;
}

const RETRY = { initialMs: 500, maxMs: 60_000 };
/** How long a port that was up may be held back by the switch before it is reported down. */
const PATIENCE_MS = 5_000;

/**
 * One plugged port, from seen to reported. Facts only mark what is to be looked at again; `converge` brings the port to where the
 * last facts want it, one step at a time, and tries again with back-off where a step fails.
 */
export class BoundPortLifecycle {
  private phase: PortState['state'] = 'describing';
  private fate: 'plugged' | 'gone' | 'deleted' | 'moved' = 'plugged';
  private cause = 'scan';
  private description: PortDescription | undefined;
  private isolated: IsolatedPort | undefined;
  private reportedUp = false;
  private readonly gate: StatedGate;
  private readonly attachment: Attachment;
  private readonly rebinding: Rebinding;
  private readonly history = new History();
  /** What the switch still lacks. */
  private waitsFor: string | undefined;
  private complainedOf: string | undefined;
  /** Why the last step failed; tried again until it does not. */
  private failure: string | undefined;
  private retrying = false;

  private stale = true;
  private unplugged = false;
  private over = false;
  private tellAll = false;
  private converging: Promise<void> | undefined;
  private again = false;

  constructor(
    private vif: Vif,
    formerVlan: number | undefined,
    private readonly around: Surroundings,
  ) {
    const again = (cause: string) => void this.converge(cause);
    this.rebinding = new Rebinding(`rebinding/${vif.portId}`, around.jobs, again);
    this.gate = new StatedGate(around.desired, vif.portId);
    this.attachment = new Attachment(around, this.gate, (advice) =>
      this.history.note('removed', `against a plugin's advice: ${advice}`),
    );
    this.history.note('seen');
    this.gate.state(formerVlan === undefined ? shutGate(vif) : keptGate(vif, formerVlan));
  }

  // ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `others` bear the same iface-id, and lead nowhere. */
  seen(vif: Vif, others: readonly Vif[], cause: string): void {
    const isNew = this.fate !== 'plugged' || this.unplugged || !sameVif(this.vif, vif) || this.converging === undefined;
    this.vif = vif;
    if (this.fate === 'gone' || this.unplugged) {
      this.fate = 'plugged';
      this.over = false;
      this.stale = true;
    }
    this.gate.vifsAre([vif, ...others]);
    if (isNew) void this.converge(cause);
  }

  /** Resolves when the port has been taken leave of, or was plugged again meanwhile. */
  async gone(cause: string): Promise<void> {
    this.fate = 'gone';
    this.unplugged = true;
    await this.converge(cause);
  }

  deleted(cause: string): void {
    if (this.fate === 'gone') return;
    this.fate = 'deleted';
    void this.converge(cause);
  }

  movedAway(toHost: string, cause: string): void {
    if (this.fate === 'gone') return;
    this.fate = 'moved';
    this.history.note('removed', `the binding moved to ${toHost}`);
    void this.converge(cause);
  }

  describeAgain(cause: string): void {
    if (this.fate === 'moved' || this.fate === 'deleted') this.fate = 'plugged';
    this.stale = true;
    void this.converge(cause);
  }

  tellAgain(cause: string): void {
    this.tellAll = true;
    this.reportedUp = false;
    this.describeAgain(cause);
  }

  progressed(progress: KeyProgress): void {
    if (this.phase === 'wiring' || (this.phase === 'up' && progress.state !== 'applied')) void this.awaitSwitch();
  }

  reported(status: 'up' | 'down'): void {
    this.history.note('reported', status);
  }

  // ── what others ask ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Unplugged, with nothing left to do: what was still to be tried for it comes to nothing, for its key may be another's by then. */
  isOver(): boolean {
    return this.over;
  }

  isOfNetwork(networkId: string): boolean {
    return this.description?.networkId === networkId;
  }

  isSettled(): boolean {
    if (this.converging !== undefined) return false;
    return this.phase === 'wiring' ? this.waitsFor !== undefined : this.phase !== 'describing';
  }

  /** Why the port is not where the control plane wants it; undefined while all is well. */
  trouble(): string | undefined {
    if (this.failure !== undefined) return this.failure;
    if (this.phase === 'wiring') return this.waitsFor;
    return this.isolated?.reason === 'refused' ? this.isolated.detail : undefined;
  }

  state(): PortState {
    return {
      vif: this.vif,
      state: this.phase,
      history: this.history.list(),
      ...(this.attachment.bound === undefined ? {} : { bound: this.attachment.bound }),
      ...(this.isolated === undefined ? {} : { isolated: this.isolated }),
    };
  }

  // ── convergence ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private get key(): string {
    return portKey(this.vif.portId);
  }

  private async converge(cause: string): Promise<void> {
    if (this.over) return;
    this.cause = cause;
    this.again = true;
    this.converging ??= this.run();
    await this.converging;
  }

  private async run(): Promise<void> {
    while (this.again) {
      this.again = false;
      try {
        await this.step();
        this.failure = undefined;
      } catch (error) {
        this.failed(error);
      }
    }
    this.converging = undefined;
    this.around.settled();
  }

  private failed(error: unknown): void {
    const reason = reasonOf(error);
    const isNews = this.failure !== reason;
    this.failure = reason;
    // A port that works goes on working while the control plane cannot be asked.
    if (this.attachment.bound === undefined && this.description !== undefined) this.phase = 'failed';
    this.history.note('failed', reason);
    this.around.logger[isNews ? 'warn' : 'debug']('a port could not be brought where it should be; it is tried again', {
      port: this.vif.portId,
      reason,
    });
    if (this.retrying) return;
    this.retrying = true;
    this.around.jobs.untilDone(`retry/${this.vif.portId}`, RETRY, async () => {
      await this.converge('retry');
      if (this.failure !== undefined && !this.over) throw new Error(this.failure);
      this.retrying = false;
    });
  }

  private async step(): Promise<void> {
    if (this.unplugged) {
      this.unplugged = false;
      await this.leave();
    }
    if (this.fate === 'gone') {
      this.gate.withdraw();
      this.over = true;
      return;
    }
    if (this.fate === 'moved') return this.moveAway();
    if (this.fate === 'deleted') {
      return this.isolate({ kind: 'isolate', reason: 'deleted', detail: 'the control plane deleted the port' });
    }
    if (this.stale) {
      this.stale = false;
      try {
        this.description = await this.around.describer.describe(this.vif.portId);
      } catch (error) {
        this.stale = true;
        throw error;
      }
      this.history.note('described');
      if (this.again) return;
    }
    const verdict = verdictOf(this.description);
    if (verdict.kind === 'wire') {
      await this.around.prepare(verdict.port);
      if (!this.again) await this.wire(verdict);
    } else if (verdict.reason !== 'no-segment' || this.attachment.bound === undefined || !this.rebinding.waits()) {
      await this.isolate(verdict);
    }
  }

  // ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private async wire({ port, segment }: Extract<Verdict, { kind: 'wire' }>): Promise<void> {
    const vif = this.vif;
    this.rebinding.done();
    if (reportIsLost(this.attachment.bound?.port, port)) this.reportedUp = false;
    const { bound } = this.attachment;
    if (bound !== undefined && !this.tellAll && sameWiring(bound.port, port) && sameVif(bound.vif, vif)) {
      if (!this.reportedUp && this.phase === 'up') void this.awaitSwitch();
      return;
    }
    const outcome = await this.attachment.bind(
      this.cause,
      vif,
      { port, segment },
      this.tellAll ? 'anew' : 'what changed',
    );
    if ('refused' in outcome) {
      await this.isolate({ kind: 'isolate', reason: 'refused', detail: outcome.refused, port });
      const { refused: reason, by: plugin = '' } = outcome;
      if (outcome.retry) throw PortBindingErrors.requiredTapFailed({ port: vif.portId, plugin, reason });
      return;
    }
    this.isolated = undefined;
    if (this.phase !== 'up' || this.tellAll) this.phase = 'wiring';
    this.tellAll = false;
    this.history.note('bound', `local VLAN ${outcome.localVlan}`);
    void this.awaitSwitch();
  }

  private async isolate({ reason, detail, port }: Extract<Verdict, { kind: 'isolate' }>): Promise<void> {
    const isolated: IsolatedPort = { vif: this.vif, reason, detail, ...(port === undefined ? {} : { port }) };
    if (this.isolated?.reason === reason && this.attachment.bound === undefined && !this.tellAll) return;
    this.tellAll = false;
    await this.attachment.isolate(this.cause, isolated);
    this.isolated = isolated;
    this.phase = 'isolated';
    this.history.note('isolated', detail);
    const known = reason !== 'unknown-port' && reason !== 'bound-elsewhere' && reason !== 'deleted';
    if (known) this.around.reporter.down(this.vif.portId);
    this.reportedUp = false;
  }

  private async moveAway(): Promise<void> {
    await this.attachment.giveAway(this.cause, this.vif);
    this.phase = 'isolated';
    this.reportedUp = false;
  }

  private async leave(): Promise<void> {
    await this.attachment.end(this.cause, this.vif);
    this.phase = 'describing';
    this.isolated = undefined;
    this.history.note('removed', 'unplugged');
    if (this.description !== undefined && this.fate !== 'deleted') this.around.reporter.down(this.vif.portId);
    this.reportedUp = false;
  }

  /** Reports the port up once the switch has everything, and says what it waits for until then. */
  private async awaitSwitch(): Promise<void> {
    const { bound } = this.attachment;
    const progress = await this.around.desired.progress(this.key);
    if (bound === undefined || bound !== this.attachment.bound) return;
    if (progress.state === 'applied') {
      this.waitsFor = undefined;
      this.complainedOf = undefined;
      this.phase = 'up';
      this.history.note('acknowledged');
      if (!this.reportedUp) this.around.reporter.up(this.vif.portId);
      this.reportedUp = true;
    } else {
      this.waitsFor =
        progress.state === 'pending' ? `waits for ${progress.waitingFor.join(', ')}` : whyNotApplied(progress);
      this.phase = 'wiring';
      this.history.note('failed', this.waitsFor);
      this.heldBack();
    }
    this.around.settled();
  }

  /** What the switch goes on lacking is said once, and a port that was up is reported down. */
  private heldBack(): void {
    this.around.jobs.after(`held-back/${this.vif.portId}`, PATIENCE_MS, () => {
      if (this.phase !== 'wiring') return;
      const { portId: port, portName } = this.vif;
      if (this.complainedOf !== this.waitsFor)
        this.around.logger.warn('the switch holds a port back', { port, portName, reason: this.waitsFor });
      this.complainedOf = this.waitsFor;
      if (!this.reportedUp) return;
      this.around.reporter.down(this.vif.portId);
      this.reportedUp = false;
    });
  }
}

function sameVif(one: Vif, other: Vif): boolean {
  const moved = one.ofport !== null && one.ofport !== other.ofport;
  return one.portRow === other.portRow && one.macAddress === other.macAddress && !moved;
}

function whyNotApplied(progress: KeyProgress): string {
  return progress.state === 'quarantined' ? progress.reason : 'the port is no longer wanted';
}
