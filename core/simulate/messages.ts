import type { ConfigurationRequest } from '../host/configuration';
import type { Pace } from './pacing';

/** One agent that is simulated: its name for the server, and its tunnel endpoint. */
export interface SimulatedHost {
  readonly name: string;
  readonly localIp: string;
}

export interface SimulatedPort {
  readonly host: string;
  readonly portId: string;
  readonly macAddress: string;
}

/** What the simulation tells a process of it. */
export type ToWorker =
  | {
      readonly kind: 'start';
      readonly request: ConfigurationRequest;
      readonly hosts: readonly SimulatedHost[];
      readonly pace: Pace;
      /** Seconds between state reports; undefined: as it is configured. */
      readonly reportInterval: number | undefined;
      /** Where logs and what agents keep go. */
      readonly folder: string;
    }
  | { readonly kind: 'plug'; readonly ports: readonly SimulatedPort[] }
  | { readonly kind: 'look'; readonly question: number }
  | { readonly kind: 'stop' };

/** All agents of one process together. */
export interface Figures {
  readonly started: number;
  /** Broker and server know of them. */
  readonly settled: number;
  readonly portsUp: number;
  readonly connections: number;
  readonly queues: number;
  /** Messages and replies since the start. */
  readonly received: number;
  readonly sent: number;
  /** Processor time since the start, in milliseconds. */
  readonly cpuMs: number;
  readonly rssMiB: number;
}

/** How far an entry of the simulation has come on a host: heard by the agent, on its switch, or heard to be withdrawn. */
export type Noted = 'heard' | 'applied' | 'withdrawn';

export interface Mark {
  readonly host: string;
  readonly macAddress: string;
  readonly what: Noted;
  /** Milliseconds of the machine's monotonic clock, which is the same for all its processes. */
  readonly at: number;
}

export type FromWorker =
  | { readonly kind: 'figures'; readonly question: number; readonly figures: Figures }
  | { readonly kind: 'marks'; readonly marks: readonly Mark[] }
  | { readonly kind: 'failed'; readonly reason: string };

/** MAC addresses that only the simulation's own entries have; locally administered. */
export const MARKED_MAC = 'fe:16:ff:';

/** Where neutron-server tells forwarding entries. */
export const FORWARDING_TOPIC = 'q-agent-notifier-l2population-update';

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
