import type { Effects } from '@patchbay/sdk';

/** A frame that a plugin sent, in the words that it sent it with. */
export type PacketOut = Readonly<Parameters<Effects['packetOut']>[0]> & { readonly plugin: string };

/** The plugin's effects, which note what the switch took. */
export function notingPackets(plugin: string, effects: Effects, sent: PacketOut[]): Effects {
  return {
    packetOut: async (packet) => {
      await effects.packetOut(packet);
      sent.push({ ...packet, bytes: Uint8Array.from(packet.bytes), plugin });
    },
    flushConntrack: (zone, tuple) => effects.flushConntrack(zone, tuple),
    deleteLearned: (flows) => effects.deleteLearned(flows),
  };
}
