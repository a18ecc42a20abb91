import { createHash } from 'node:crypto';

/** IFNAMSIZ less its terminating zero (Linux). */
const LONGEST_NAME = 15;
/** Characters of the hash that a shortened name ends in, as Neutron shortens names. */
const HASH_LENGTH = 6;

/** The patch ports that join a provider bridge to the integration bridge, by the names that Neutron's agent gives them. */
export function patchNames(bridge: string): { readonly integration: string; readonly provider: string } {
  return { integration: shortened('int-', bridge), provider: shortened('phy-', bridge) };
}

function shortened(prefix: string, name: string): string {
  const whole = prefix + name;
  if (whole.length <= LONGEST_NAME) return whole;
  const hash = createHash('sha1').update(name, 'utf8').digest('hex').slice(0, HASH_LENGTH);
  return prefix + name.slice(0, LONGEST_NAME - prefix.length - HASH_LENGTH) + hash;
}
