import { z } from 'zod';

/** `a,b , c` as oslo.config writes a list, or a list; blanks around items and empty items are dropped. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.preprocess(
    (value) =>
      typeof value === 'string'
        ? value
            .split(',')
            .map((part) => part.trim())
            .filter((part) => part !== '')
        : value,
    z.array(item),
  );
}

/** `key:value,…` text, a list of `key:value`, or a map. The likely mistakes (no colon, an empty side, a key twice) are named. */
export const mapping = z
  .union([z.string(), z.array(z.string()), z.record(z.string(), z.string())], {
    error: 'expected "key:value,…" text or a map of key to value',
  })
  .transform((value, context): Readonly<Record<string, string>> => {
    if (typeof value === 'object' && !Array.isArray(value)) return value;
    const pairs = new Map<string, string>();
    for (const part of (typeof value === 'string' ? value.split(',') : value).map((text) => text.trim())) {
      if (part === '') continue;
      const [key = '', mapped = '', ...more] = part.split(':').map((text) => text.trim());
      const mistake =
        more.length > 0
          ? 'has more than one colon'
          : key === ''
            ? 'has nothing before its colon'
            : mapped === ''
              ? 'has nothing after its colon, or no colon'
              : pairs.has(key)
                ? `gives "${key}" a second time`
                : undefined;
      if (mistake !== undefined) context.addIssue({ code: 'custom', message: `"${part}" ${mistake}`, input: part });
      pairs.set(key, mapped);
    }
    return Object.fromEntries(pairs);
  });

/** The name of an OVS bridge or port: at most 15 characters, as the kernel allows for an interface (IFNAMSIZ less one). */
export const interfaceName = z
  .string()
  .min(1)
  .max(15, 'an interface name has at most 15 characters')
  .regex(/^[^\s/]+$/, 'an interface name has no blanks and no slash');

/** A TCP or UDP port number. */
export const portNumber = z.int().min(0).max(65535);
