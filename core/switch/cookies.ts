import { createHash } from 'node:crypto';
import { LEARNED_COOKIE } from '@patchbay/sdk';
import { isWithin, type MaskedCookie, takesOurs } from '../kernel/config/reservations';
import { switchErrors } from './errors';

/** Upper half of every cookie of ours: "Patc" in ASCII. With it, no cookie is 0 or all ones, which OpenFlow gives a meaning of their own. */
const PREFIX = LEARNED_COOKIE >> 32n;

/** Whose flow carries a cookie. `unlisted`: ours, of a plugin that is not on the list now. `foreign`: another program's. */
export type CookieOwner =
  | { readonly kind: 'plugin'; readonly plugin: string }
  | { readonly kind: 'unlisted' }
  | { readonly kind: 'learned' }
  | { readonly kind: 'reserved' }
  | { readonly kind: 'foreign' };

/** The cookie of a plugin: the same in every run and on every host, so that a restart recognises what is installed. */
export function cookieOf(plugin: string): bigint {
  const known = cookies.get(plugin) ?? workedOut(plugin);
  cookies.set(plugin, known);
  return known;
}

const cookies = new Map<string, bigint>();

function workedOut(plugin: string): bigint {
  const hash = BigInt(`0x${createHash('sha256').update(plugin).digest('hex').slice(0, 8)}`);
  // A zero hash is that of learned flows.
  return (PREFIX << 32n) | (hash === 0n ? 1n : hash);
}

const LEARNED: CookieOwner = { kind: 'learned' };
const UNLISTED: CookieOwner = { kind: 'unlisted' };
const RESERVED: CookieOwner = { kind: 'reserved' };
const FOREIGN: CookieOwner = { kind: 'foreign' };

/** Tells cookies apart: those of the plugins on the list, learned ones, those an operator reserved for somebody else. */
export class CookieRegister {
  private readonly owners = new Map<bigint, CookieOwner>();
  private readonly reserved: readonly MaskedCookie[];

  /** @throws PatchbayError `PB-SWITCH-COOKIE` where two ids have the same cookie, or an operator reserves one of ours. */
  constructor(plugins: Iterable<string>, reserved: readonly MaskedCookie[] = []) {
    for (const plugin of plugins) {
      const cookie = cookieOf(plugin);
      const other = this.owners.get(cookie);
      if (other?.kind === 'plugin' && other.plugin !== plugin) {
        throw switchErrors.cookie({ plugin, other: other.plugin, cookie: hex(cookie) });
      }
      this.owners.set(cookie, { kind: 'plugin', plugin });
    }
    for (const cookie of reserved) {
      if (takesOurs(cookie)) throw switchErrors.reservedCookie({ cookie: `${hex(cookie.value)}/${hex(cookie.mask)}` });
    }
    this.reserved = reserved;
  }

  ownerOf(cookie: bigint): CookieOwner {
    if (cookie === LEARNED_COOKIE) return LEARNED;
    if (cookie >> 32n === PREFIX) return this.owners.get(cookie) ?? UNLISTED;
    return this.reserved.some((masked) => isWithin(cookie, masked)) ? RESERVED : FOREIGN;
  }
}

/** As ovs-ofctl prints a cookie. */
export function hex(cookie: bigint): string {
  return `0x${cookie.toString(16)}`;
}
