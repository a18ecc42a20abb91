/** What of an Ethernet II frame a test chooses. */
export interface FrameFields {
  /** As `fa:16:3e:00:00:01`. */
  readonly destination: string;
  readonly source: string;
  /** Tags in the order they travel, outermost first; TPID 0x8100, or 0x88a8 where the tag says so. */
  readonly tags?: readonly { readonly vlan: number; readonly priority?: number; readonly tpid?: 0x8100 | 0x88a8 }[];
  /** 0x88b5 if not given: IEEE 802's first value for local experiments, which no stack answers. */
  readonly etherType?: number;
  readonly payload?: Buffer;
}

/** The frame's bytes without checksum, padded to the 60 that Ethernet asks for (IEEE 802.3). */
export function frame(fields: FrameFields): Buffer {
  const tags = (fields.tags ?? []).map(({ vlan, priority = 0, tpid = 0x8100 }) => {
    const tag = Buffer.alloc(4);
    tag.writeUInt16BE(tpid, 0);
    tag.writeUInt16BE((priority << 13) | vlan, 2);
    return tag;
  });
  const etherType = Buffer.alloc(2);
  etherType.writeUInt16BE(fields.etherType ?? 0x88b5, 0);
  const parts = [
    address(fields.destination),
    address(fields.source),
    ...tags,
    etherType,
    fields.payload ?? Buffer.alloc(0),
  ];
  const bytes = Buffer.concat(parts);
  return bytes.length >= 60 ? bytes : Buffer.concat([bytes, Buffer.alloc(60 - bytes.length)]);
}

function address(mac: string): Buffer {
  const bytes = Buffer.from(mac.replaceAll(':', ''), 'hex');
  if (bytes.length !== 6) throw new Error(`"${mac}" is no MAC address: six pairs of hexadecimal digits are expected`);
  return bytes;
}
