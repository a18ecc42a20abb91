import type { IsolationReason, PortDescription, Segment } from '@patchbay/sdk';

/** What a description means for the VIF: wire it into a segment, or isolate it and why. */
export type Verdict =
  | { readonly kind: 'wire'; readonly port: PortDescription; readonly segment: Segment }
  | {
      readonly kind: 'isolate';
      readonly reason: IsolationReason;
      readonly detail: string;
      readonly port?: PortDescription;
    };

/**
 * A port that migrates away stays wired until its binding has moved; one that migrates here is wired before it has
 * (the inventory of Neutron's live migration: the destination must be ready when the guest resumes).
 */
export function verdictOf(port: PortDescription | undefined): Verdict {
  if (port === undefined) {
    return { kind: 'isolate', reason: 'unknown-port', detail: 'the control plane does not know this port' };
  }
  if (port.binding === 'elsewhere') {
    return { kind: 'isolate', reason: 'bound-elsewhere', detail: 'the port has no active binding to this host', port };
  }
  if (!port.adminStateUp) {
    return { kind: 'isolate', reason: 'admin-down', detail: 'the administrative state of the port is down', port };
  }
  if (port.segment === null) {
    return { kind: 'isolate', reason: 'no-segment', detail: 'the port is bound to no segment', port };
  }
  return { kind: 'wire', port, segment: port.segment };
}

/** Whether two descriptions ask for the same wiring: the status that we report ourselves, and revisions, do not count. */
export function sameWiring(one: PortDescription, other: PortDescription): boolean {
  return essence(one) === essence(other);
}

function essence({ status: _status, revision: _revision, ...rest }: PortDescription): string {
  return JSON.stringify(rest, sorted);
}

function sorted(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
