import { type PatchbayError, Service } from '@patchbay/sdk';
import { KernelError } from '../errors';
import { suggestion } from '../nearest';
import type { FoundPlugin } from './modules';
import type { Resolution } from './plan';

/** Tokens that constructors ask for and that neither the agent has nor a plugin on the list provides. A start finds them when it constructs. */
export function tokensWithoutProvider(
  resolution: Pick<Resolution, 'ordered' | 'knownProviders'>,
): readonly { readonly found: FoundPlugin; readonly error: PatchbayError }[] {
  const { ordered, knownProviders } = resolution;
  const given = new Set(ordered.flatMap(({ manifest }) => (manifest.provides ?? []).map(({ name }) => name)));
  const own = Object.values(Service).flatMap(({ name, scope }) => (scope === 'provided' ? [] : [name as string]));
  const isThere = (token: string): boolean => given.has(token) || own.includes(token);
  return ordered.flatMap((found) => {
    const asked = found.tokens.flatMap((token) => token?.replace(/^patchbay:/, '') ?? []);
    return asked
      .filter((token) => !isThere(token))
      .map((token) => {
        const could = knownProviders.get(token) ?? [];
        const known = [...knownProviders.keys(), ...own];
        const hint = could.length > 0 ? `${could.join(' or ')} could` : suggestion(token, known);
        const requirement = `token ${token}`;
        return { found, error: KernelError.missingRequirement({ plugin: found.manifest.id, requirement, hint }) };
      });
  });
}
