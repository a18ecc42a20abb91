import type { Health, Jobs, KeyProgress, TunnelEndpoint } from '@patchbay/sdk';
import { endpointKey } from './endpoints';

/** A port that the switch is making has no number for some milliseconds, for many at once some seconds: no complaint yet. */
const BEING_MADE_MS = 5_000;
/** Endpoints that are named; of more, only how many there are. */
const NAMED = 5;
const CONDITION = 'endpoints';

interface Lack {
  readonly endpoint: TunnelEndpoint;
  readonly why: string;
  /** Milliseconds of `performance.now()`. */
  readonly since: number;
}

/** Endpoints that a tunnel should lead to and none does: health names them, and why. */
export class UnmadeTunnels {
  private readonly lacks = new Map<string, Lack>();
  private isLooking = false;

  constructor(
    private readonly health: Health,
    private readonly jobs: Jobs,
  ) {}

  /** What has become of the endpoint's port. */
  progressed(endpoint: TunnelEndpoint, progress: KeyProgress): void {
    if (progress.state === 'pending') this.lacking(endpoint, `waits for ${progress.waitingFor.join(', ')}`);
    else if (progress.state === 'quarantined') this.lacking(endpoint, progress.reason);
    else this.forget(endpoint);
  }

  lacking(endpoint: TunnelEndpoint, why: string): void {
    const key = endpointKey(endpoint);
    const { since = performance.now() } = this.lacks.get(key) ?? {};
    const lack = { endpoint, why, since };
    this.lacks.set(key, lack);
    if (isYoung(lack)) this.lookLater();
    else this.tell();
  }

  /** A tunnel leads there, or none is wanted any more. */
  forget(endpoint: TunnelEndpoint): void {
    const key = endpointKey(endpoint);
    const lack = this.lacks.get(key);
    if (lack === undefined) return;
    this.lacks.delete(key);
    if (!isYoung(lack)) this.tell();
  }

  keepOnly(isWanted: (endpoint: TunnelEndpoint) => boolean): void {
    for (const { endpoint } of [...this.lacks.values()]) if (!isWanted(endpoint)) this.forget(endpoint);
  }

  private lookLater(): void {
    if (this.isLooking) return;
    this.isLooking = true;
    this.jobs.after('look for tunnels that are not made', BEING_MADE_MS, () => {
      this.isLooking = false;
      this.tell();
      if ([...this.lacks.values()].some(isYoung)) this.lookLater();
    });
  }

  private tell(): void {
    const lasting = [...this.lacks.values()].filter((lack) => !isYoung(lack));
    if (lasting.length === 0) {
      this.health.clear(CONDITION);
      return;
    }
    const named = lasting
      .slice(0, NAMED)
      .map(({ endpoint: { tunnelType, ipAddress }, why }) => `to ${ipAddress} by ${tunnelType}: ${why}`);
    const more = lasting.length > NAMED ? [`and to ${lasting.length - NAMED} more`] : [];
    this.health.report(CONDITION, 'degraded', `no tunnel leads ${[...named, ...more].join('; ')}`);
  }
}

const isYoung = ({ since }: Lack): boolean => performance.now() - since < BEING_MADE_MS;
