import type { AnyRow, Atom, Uuid } from '../values';
import type { Draft } from './contents';
import type { FakeDatabase } from './database';

/** What of ovs-vswitchd to play. Each is off unless named. */
export interface VswitchdOptions {
  /** `assign`: interfaces on a bridge get an `ofport`, a `mac_in_use` and a link state. */
  readonly ofports?: 'assign' | 'leave';
  /** `assign`: a new bridge gets a `datapath_id`. */
  readonly datapathIds?: 'assign' | 'leave';
  /** `apply`: `cur_cfg` follows `next_cfg`. */
  readonly config?: 'apply' | 'leave';
  /** Interfaces that cannot be opened: they get `ofport` -1 and this error text, as the daemon reports a missing device. */
  readonly refusedInterfaces?: ReadonlyMap<string, string>;
}

/** All that an agent waits for. */
export const FULL_VSWITCHD: VswitchdOptions = { ofports: 'assign', datapathIds: 'assign', config: 'apply' };

/** OFPP_LOCAL of OpenFlow 1.0, which the database uses for a bridge's own port. */
const LOCAL_PORT = 65534;

/** Plays ovs-vswitchd's part: reads the rows after each commit, in a turn of its own, and writes back what it would. */
export class FakeVswitchd {
  private scheduled: NodeJS.Immediate | undefined;
  private options: VswitchdOptions;
  private readonly nextOfport = new Map<Uuid, number>();
  private serial = 0;

  constructor(
    private readonly database: FakeDatabase,
    options: VswitchdOptions,
  ) {
    this.options = options;
    database.onCommit(() => this.schedule());
  }

  /** Plays another part from now on, and catches up with what it left lying. */
  play(options: VswitchdOptions): void {
    this.options = options;
    this.schedule();
  }

  stop(): void {
    clearImmediate(this.scheduled);
    this.scheduled = undefined;
    this.options = {};
  }

  private schedule(): void {
    const { ofports, datapathIds, config } = this.options;
    if (ofports !== 'assign' && datapathIds !== 'assign' && config !== 'apply') return;
    this.scheduled ??= setImmediate(() => {
      this.scheduled = undefined;
      this.database.change((draft) => this.act(draft));
    });
  }

  private act(draft: Draft): void {
    for (const bridge of [...draft.rows('Bridge')]) {
      if (this.options.datapathIds === 'assign' && bridge.datapath_id === undefined) {
        this.serial += 1;
        draft.put('Bridge', { ...bridge, datapath_id: this.serial.toString(16).padStart(16, '0') });
      }
      if (this.options.ofports === 'assign') this.assignOfports(draft, bridge);
    }
    if (this.options.config !== 'apply') return;
    for (const row of [...draft.rows('Open_vSwitch')]) {
      if (row.cur_cfg !== row.next_cfg) draft.put('Open_vSwitch', { ...row, cur_cfg: row.next_cfg });
    }
  }

  private assignOfports(draft: Draft, bridge: AnyRow): void {
    const interfaces = uuids(bridge.ports)
      .flatMap((port) => uuids(draft.get('Port', port)?.interfaces))
      .flatMap((uuid) => draft.get('Interface', uuid) ?? []);
    const taken = new Set(interfaces.map((row) => row.ofport));
    for (const row of interfaces) {
      const problem = this.options.refusedInterfaces?.get(String(row.name));
      if (problem !== undefined) {
        if (row.ofport !== -1) draft.put('Interface', { ...row, ofport: -1, error: problem });
        continue;
      }
      if (row.ofport !== undefined && row.ofport !== -1) continue;
      const ofport = this.ofportFor(bridge, row, taken);
      taken.add(ofport);
      this.serial += 1;
      const serial = this.serial.toString(16).padStart(6, '0');
      draft.put('Interface', {
        ...row,
        ofport,
        error: undefined,
        mac_in_use: `02:00:00:${serial.slice(0, 2)}:${serial.slice(2, 4)}:${serial.slice(4)}`,
        admin_state: 'up',
        link_state: 'up',
      });
    }
  }

  private ofportFor(bridge: AnyRow, row: AnyRow, taken: ReadonlySet<unknown>): number {
    if (row.name === bridge.name) return LOCAL_PORT;
    if (typeof row.ofport_request === 'number' && !taken.has(row.ofport_request)) return row.ofport_request;
    let ofport = this.nextOfport.get(bridge._uuid) ?? 1;
    while (taken.has(ofport)) ofport += 1;
    this.nextOfport.set(bridge._uuid, ofport + 1);
    return ofport;
  }
}

function uuids(value: unknown): readonly Uuid[] {
  return Array.isArray(value) ? (value as readonly Atom[] as readonly Uuid[]) : [];
}
