import {
  type Effects,
  type Health,
  type Jobs,
  type Logger,
  reasonOf,
  type SwitchView,
  type TrackedConnection,
} from '@patchbay/sdk';
import type { GuardedPort } from './guarded-port';
import { contains, type Network, parseNetwork } from './networks';
import type { Rule } from './rules';
import { CUT_MARK } from './tables';
import { type AddressesOf, allows } from './verdict';

/** A port as far as connections are concerned. */
export interface ConnectionOwner {
  readonly guarded: GuardedPort;
  /** Undefined where its connections are not judged: it is not filtered, or all its groups are stateless. */
  readonly rules: readonly Rule[] | undefined;
}

interface Surroundings {
  readonly switchView: SwitchView;
  readonly effects: Effects;
  readonly jobs: Jobs;
  readonly health: Health;
  readonly logger: Logger;
  /** The ports of a conntrack zone, which is a local VLAN. */
  readonly ownersIn: (zone: number) => readonly ConnectionOwner[];
  readonly addressesOf: AddressesOf;
}

/** Between two passes: long enough for an event under way to reach the switch. */
const PAUSE_MS = 250;

/**
 * Makes conntrack forget connections that no rule allows any more. The flows have cut them already; what is left is their mark, which
 * would outlive the return of the rule.
 */
export class Connections {
  private readonly zones = new Set<number>();

  constructor(private readonly around: Surroundings) {}

  /** Looks through the zones soon, and again until nothing is left to be forgotten. */
  review(zones: Iterable<number>): void {
    for (const zone of zones) this.zones.add(zone);
    if (this.zones.size > 0) this.around.jobs.after('forget connections', PAUSE_MS, () => this.pass());
  }

  private async pass(): Promise<void> {
    const zones = [...this.zones];
    this.zones.clear();
    const again: number[] = [];
    for (const zone of zones) {
      try {
        if ((await this.forget(zone)) > 0) again.push(zone);
        this.around.health.clear('connections');
      } catch (error) {
        const reason = reasonOf(error);
        this.around.health.report(
          'connections',
          'degraded',
          `connections that no rule allows are not forgotten: ${reason}`,
        );
        this.around.logger.warn('connections could not be forgotten; their packets are dropped all the same', {
          zone,
          reason,
        });
      }
    }
    this.review(again);
  }

  /** How many connections were forgotten. */
  private async forget(zone: number): Promise<number> {
    const { switchView, effects, logger } = this.around;
    const owners = this.around.ownersIn(zone).map(withNetworks);
    if (switchView.connections === undefined) return this.forgetAllOf(zone, owners);
    const cut = (await switchView.connections(zone)).filter((connection) => this.isCut(connection, owners));
    for (const { mark: _mark, ...tuple } of cut) await effects.flushConntrack(zone, tuple);
    if (cut.length > 0) logger.info('connections forgotten that no rule allows', { zone, count: cut.length });
    return cut.length;
  }

  /** Where connections cannot be listed: all of the zone's filtered addresses. Those still allowed are picked up by their next packet. */
  private async forgetAllOf(zone: number, owners: readonly OwnerWithNetworks[]): Promise<number> {
    for (const { networks, rules } of owners) {
      if (rules === undefined) continue;
      for (const { ethertype, text } of networks.filter(isAddress)) {
        await this.around.effects.flushConntrack(zone, { ethertype, source: text });
        await this.around.effects.flushConntrack(zone, { ethertype, destination: text });
      }
    }
    return 0;
  }

  private isCut(connection: TrackedConnection, owners: readonly OwnerWithNetworks[]): boolean {
    const mayNot = (direction: 'ingress' | 'egress', text: string | undefined) => {
      const address = text === undefined ? undefined : parseNetwork(text);
      if (address === undefined) return false;
      const involved = owners.filter(({ networks }) => networks.some((network) => contains(network, address)));
      return (
        involved.length > 0 &&
        involved.every(
          ({ rules }) => rules !== undefined && !allows(rules, direction, connection, this.around.addressesOf),
        )
      );
    };
    return (
      connection.mark === CUT_MARK || mayNot('ingress', connection.destination) || mayNot('egress', connection.source)
    );
  }
}

interface OwnerWithNetworks extends ConnectionOwner {
  readonly networks: readonly Network[];
}

/** A port that may use any address is known by its others. */
function withNetworks(owner: ConnectionOwner): OwnerWithNetworks {
  const networks = owner.guarded.pairs.flatMap(({ address }) =>
    address === null ? [] : [parseNetwork(address)].filter((network) => network !== undefined),
  );
  return { ...owner, networks };
}

function isAddress({ ethertype, length }: Network): boolean {
  return length === (ethertype === 'IPv4' ? 32 : 128);
}
