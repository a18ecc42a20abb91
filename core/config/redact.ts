const HIDDEN = '***';
const secretName = /passw(or)?d|secret|token|hmac_keys?$|api_?key/i;
/** `user`, `user:password`, at one host of a list. */
const login = /^([^:@/,]*)(:[^@/]*)?@([^@/,]*)$/;

/**
 * A value to show: nothing of what its name calls a password or secret, and URLs without their passwords. What cannot be told
 * apart in a URL is hidden up to its last `@`.
 */
export function redacted(name: string, value: unknown): unknown {
  if (value === null || value === undefined || value === '') return value;
  if (secretName.test(name)) return HIDDEN;
  if (typeof value === 'string') return value.includes('://') || name === 'transport_url' ? redactedUrl(value) : value;
  if (Array.isArray(value)) return value.map((item) => redacted(name, item));
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redacted(key, inner)]));
  }
  return value;
}

function redactedUrl(url: string): string {
  const start = url.indexOf('://');
  if (start < 0) return HIDDEN;
  const scheme = url.slice(0, start + 3);
  const rest = url.slice(start + 3);
  const at = rest.lastIndexOf('@');
  const end = at < 0 ? 0 : at + 1;
  const tail = withoutSecretQuery(rest.slice(end));
  if (at < 0)
    return /^[^/?]*:(?!\d+(?:[,/?]|$))/.test(rest) && !rest.startsWith('[') ? `${scheme}${HIDDEN}` : scheme + tail;
  const hosts = rest.slice(0, end).split(',');
  const shown = hosts.map((host, place) => {
    const parts = login.exec(host);
    if (parts === null) return undefined;
    // No password, or no host, before a comma: it may be in the middle of a password.
    if (place < hosts.length - 1 && (parts[2] === ':' || parts[3] === '')) return undefined;
    return `${parts[1]}${parts[2] === undefined ? '' : `:${HIDDEN}`}@${parts[3]}`;
  });
  return scheme + (shown.includes(undefined) ? `${HIDDEN}@` : shown.join(',')) + tail;
}

const withoutSecretQuery = (tail: string): string =>
  tail.replace(/([?&])([^=&]*)=([^&]*)/g, (whole, mark: string, key: string) =>
    secretName.test(key) ? `${mark}${key}=${HIDDEN}` : whole,
  );
