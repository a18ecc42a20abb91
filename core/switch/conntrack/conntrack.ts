import type { ConntrackTuple, TrackedConnection } from '@patchbay/sdk';
import type { AskVswitchd } from './control-socket';
import { parseConnections } from './dump';

const TCP_UDP_SCTP: ReadonlySet<number | undefined> = new Set([6, 17, 132]);

/** Conntrack as ovs-vswitchd shows it, whichever datapath keeps it. OpenFlow can forget connections, and cannot list them. */
export class Conntrack {
  constructor(
    private readonly ask: AskVswitchd,
    /** As `dpctl` names it: `system@ovs-system`, `netdev@ovs-netdev`. */
    private readonly datapath: () => string,
  ) {}

  /** The connections of a zone. @throws ControlRefused */
  async connections(zone: number): Promise<readonly TrackedConnection[]> {
    return parseConnections(await this.ask('dpctl/dump-conntrack', this.datapath(), `zone=${zone}`));
  }

  /** Forgets the zone's connections, or the one that the tuple says whole: for an Open vSwitch whose OpenFlow cannot (before 3.1). */
  async flush(zone: number, tuple?: ConntrackTuple): Promise<void> {
    const where = [...(await this.datapathWords()), `zone=${zone}`];
    if (tuple === undefined) {
      await this.ask('dpctl/flush-conntrack', ...where);
      return;
    }
    const [source, destination] =
      tuple.ethertype === 'IPv4' ? ['ct_nw_src', 'ct_nw_dst'] : ['ct_ipv6_src', 'ct_ipv6_dst'];
    const ports = TCP_UDP_SCTP.has(tuple.protocol);
    const words: readonly (readonly [string, string | number | undefined])[] = [
      [source, tuple.source],
      [destination, tuple.destination],
      ['ct_nw_proto', tuple.protocol],
      ['ct_tp_src', ports ? tuple.sourcePort : undefined],
      ['ct_tp_dst', ports ? tuple.destinationPort : undefined],
    ];
    const text = words.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])).join(',');
    await this.ask('dpctl/flush-conntrack', ...where, text);
  }

  /** The only datapath need not be named, and Open vSwitch 3.1.0 takes its name for a tuple. */
  private async datapathWords(): Promise<readonly string[]> {
    const all = (await this.ask('dpctl/dump-dps')).trim().split('\n');
    return all.length > 1 ? [this.datapath()] : [];
  }
}
