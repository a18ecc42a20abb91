import { type Plugin, type PluginClass, plugin, type Rpc, Service, type Unsubscribe, use } from '@patchbay/sdk';
import { FORWARDING_TOPIC, MARKED_MAC, type Noted } from './messages';

/** Its name on a simulated agent's list of plugins. */
export const RECEIPT = 'simulation-receipt';

/**
 * A plugin that every simulated agent has besides its own: hears forwarding entries after `l2-population` has, from the same queue, and notes
 * those of the simulation, whether the network is this host's or not.
 */
export function receiptPlugin(noted: (macAddress: string, what: Noted) => void): PluginClass {
  @plugin({
    id: RECEIPT,
    summary: 'Notes when forwarding entries of the simulation have been heard',
    sdk: '^1.0.0',
    requires: [Service.rpc],
    after: ['l2-population'],
    onFailure: 'abort',
  })
  class Receipt implements Plugin {
    private unsubscribe: Unsubscribe = () => {};

    constructor(@use(Service.rpc) private readonly rpc: Rpc) {}

    start(): void {
      const note = (what: Noted) => (args: Readonly<Record<string, unknown>>) => {
        const macAddress = markedAmong(args.fdb_entries);
        if (macAddress !== undefined) noted(macAddress, what);
      };
      this.unsubscribe = this.rpc.listen(
        { topic: FORWARDING_TOPIC, version: '1.0', fanout: true },
        { add_fdb_entries: note('heard'), remove_fdb_entries: note('withdrawn') },
      );
    }

    stop(): void {
      this.unsubscribe();
    }
  }
  return Receipt;
}

/** The address of the simulation's own that entries name, in the form that neutron-server sends: network → ports → endpoint → [MAC, IP]. */
function markedAmong(fdbEntries: unknown): string | undefined {
  for (const network of valuesOf(fdbEntries)) {
    const { ports } = network as { readonly ports?: unknown };
    for (const pairs of valuesOf(ports)) {
      for (const [macAddress] of pairs as readonly (readonly unknown[])[]) {
        if (typeof macAddress === 'string' && macAddress.startsWith(MARKED_MAC)) return macAddress;
      }
    }
  }
  return undefined;
}

const valuesOf = (map: unknown): readonly unknown[] =>
  typeof map === 'object' && map !== null ? Object.values(map) : [];
