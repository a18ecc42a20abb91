import { flow } from '@patchbay/sdk';
import type { FlowMod } from '../../../core/switch/openflow';
import { writeMod } from '../../../core/switch/openflow/messages/encode-mods';
import { OF14 } from '../../../core/switch/openflow/messages/header';
import { WireWriter } from '../../../core/switch/openflow/wire/writer';

const COOKIE = 0x5061_7463_0000_0001n;
const WHOLE = 0xffff_ffff_ffff_ffffn;
const one = flow({ bridge: 'br-int', table: 82, priority: 77, match: { eth_type: 0x0800 } });

/** OpenFlow 1.4, 7.3.4.1: the cookie's mask follows the header and the cookie. */
function cookieMaskOf(mod: FlowMod): bigint {
  const writer = new WireWriter();
  writeMod(writer, OF14, 1, mod, () => undefined);
  return writer.take().readBigUInt64BE(16);
}

describe('the cookie of a strict change', () => {
  test.each([
    'delete_strict',
    'modify_strict',
  ] as const)('is not asked for whole by %s, for Open vSwitch would compare all flows that have it', (command) => {
    const mask = cookieMaskOf({ kind: 'flow', command, flow: one, cookie: COOKIE });
    expect(mask).not.toBe(WHOLE);
    expect(COOKIE & mask).toBe(COOKIE);
  });

  test('is asked for whole where the match is not strict', () => {
    expect(cookieMaskOf({ kind: 'flow', command: 'delete', filter: { cookie: COOKIE } })).toBe(WHOLE);
  });
});
