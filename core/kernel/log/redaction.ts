const HIDDEN = '***';
const SECRET_NAME = /passw(or)?d|secret/i;

/** Hides passwords in URLs (every host of a transport_url has its own), wherever in a text they stand. A password may hold anything but white space. */
export function withoutPasswords(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)(\S*)/gi, (_url, scheme: string, rest: string) => {
    const hidden = rest.replace(/:([^@]*)@/g, (_credentials, secret: string) => {
      // Between two hosts stands the first one's port: `host:5672,user:password@…`.
      const between = /^(\d+,[^:@,]*):/.exec(secret);
      return between === null ? `:${HIDDEN}@` : `:${between[1]}:${HIDDEN}@`;
    });
    return scheme + hidden;
  });
}

/** A copy to show: URLs without their passwords, and nothing at all of what is named a password or secret. */
export function redacted(value: unknown): unknown {
  return redact(value, new Set());
}

function redact(value: unknown, above: ReadonlySet<object>): unknown {
  if (typeof value === 'string') return withoutPasswords(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return withoutPasswords(value.stack ?? value.message);
  if (typeof value !== 'object' || value === null) return value;
  if (above.has(value)) return '[circular]';
  const within = new Set([...above, value]);
  if (Array.isArray(value)) return value.map((item) => redact(item, within));
  if (value instanceof Map) return redact(Object.fromEntries(value), within);
  if (value instanceof Set) return redact([...value], within);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      SECRET_NAME.test(key) && inner !== null && inner !== undefined ? HIDDEN : redact(inner, within),
    ]),
  );
}
