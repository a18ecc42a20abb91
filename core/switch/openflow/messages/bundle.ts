import { ONF } from '../wire/action-types';
import type { WireWriter } from '../wire/writer';
import { OF13, OFPT, writeMessage } from './header';

/** ofp_bundle_ctrl_type (OpenFlow 1.4.1, 7.3.9.1). */
export const BUNDLE = { OPEN: 0, CLOSE: 2, COMMIT: 4, DISCARD: 6 } as const;
/** OFPBF_ATOMIC | OFPBF_ORDERED. */
const ATOMIC_AND_ORDERED = 3;
/** ONF extension 230's experimenter types, for OpenFlow 1.3. */
const ONF_BUNDLE_CONTROL = 2300;
const ONF_BUNDLE_ADD = 2301;

function envelope(
  writer: WireWriter,
  version: number,
  xid: number,
  native: number,
  extension: number,
  body: () => void,
): void {
  if (version === OF13) {
    writeMessage(writer, version, OFPT.EXPERIMENTER, xid, () => {
      writer.u32(ONF);
      writer.u32(extension);
      body();
    });
  } else {
    writeMessage(writer, version, native, xid, body);
  }
}

export function writeBundleControl(
  writer: WireWriter,
  version: number,
  xid: number,
  bundle: number,
  type: number,
): void {
  envelope(writer, version, xid, OFPT.BUNDLE_CONTROL, ONF_BUNDLE_CONTROL, () => {
    writer.u32(bundle);
    writer.u16(type);
    writer.u16(ATOMIC_AND_ORDERED);
  });
}

/** Puts the message that `inner` writes, which must bear the same transaction id, into a bundle. */
export function writeBundleAdd(
  writer: WireWriter,
  version: number,
  xid: number,
  bundle: number,
  inner: () => void,
): void {
  envelope(writer, version, xid, OFPT.BUNDLE_ADD_MESSAGE, ONF_BUNDLE_ADD, () => {
    writer.u32(bundle);
    writer.u16(0);
    writer.u16(ATOMIC_AND_ORDERED);
    inner();
  });
}
