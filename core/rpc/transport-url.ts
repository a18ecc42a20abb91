import { TransportUrlError } from './errors';

/** One broker. Username and password are as they are after percent-decoding. */
export interface BrokerEndpoint {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

export interface TransportUrl {
  readonly endpoints: readonly [BrokerEndpoint, ...BrokerEndpoint[]];
  readonly virtualHost: string;
  /** Overrides of [oslo_messaging_rabbit], by option name; a key given twice is joined by a comma, as oslo.messaging does. */
  readonly query: Readonly<Record<string, string>>;
}

/** oslo.messaging uses 5672 whenever the URL names no port, with TLS too. */
const DEFAULT_PORT = 5672;
/** RabbitMQ's own default account, which oslo.messaging assumes when the URL has no credentials. */
const DEFAULT_ACCOUNT = 'guest';

/**
 * Reads `rabbit://user:pass@host:port[,user:pass@host:port…]/virtual_host?option=value`.
 * An empty virtual host means "/". Throws TransportUrlError; its text never contains a password.
 */
export function parseTransportUrl(text: string): TransportUrl {
  const parts = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?(#.*)?$/s.exec(text.trim());
  if (!parts) throw new TransportUrlError('scheme', 'expected rabbit://user:password@host:port/virtual_host');
  const [, scheme = '', authority = '', path = '', query = '', fragment] = parts;
  refuseOtherSchemes(scheme);
  if (fragment !== undefined) {
    throw new TransportUrlError('password', 'contains "#": write it as %23 (and / as %2F, @ as %40) inside a password');
  }
  if (path.includes('@') || query.includes('@')) {
    throw new TransportUrlError(
      'password',
      'an "@" follows the hosts: write "/" and "?" inside a password as %2F and %3F',
    );
  }
  const given = authority.split(',').filter((part) => part !== '');
  const [first = endpoint(''), ...rest] = given.map(endpoint);
  const virtualHost = decoded(path.slice(1), 'virtual_host');
  return { endpoints: [first, ...rest], virtualHost: virtualHost === '' ? '/' : virtualHost, query: parseQuery(query) };
}

/** The URL for logs: passwords replaced by `***`; a text that cannot be read loses everything before its last "@". */
export function redactTransportUrl(text: string): string {
  try {
    const { endpoints, virtualHost, query } = parseTransportUrl(text);
    const hosts = endpoints.map((broker) => `${encodeURIComponent(broker.username)}:***@${hostAndPort(broker)}`);
    const overrides = new URLSearchParams(query).toString();
    const path = virtualHost === '/' ? '/' : `/${encodeURIComponent(virtualHost)}`;
    return `rabbit://${hosts.join(',')}${path}${overrides === '' ? '' : `?${overrides}`}`;
  } catch {
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1];
    const at = text.lastIndexOf('@');
    if (scheme === undefined || at < 0) return '***';
    return `${scheme}://***@${text.slice(at + 1)}`;
  }
}

/** `host:port`, with brackets around an IPv6 address. */
export function hostAndPort(broker: Pick<BrokerEndpoint, 'host' | 'port'>): string {
  return broker.host.includes(':') ? `[${broker.host}]:${broker.port}` : `${broker.host}:${broker.port}`;
}

function refuseOtherSchemes(scheme: string): void {
  if (scheme === 'rabbit') return;
  const why =
    scheme === 'amqp'
      ? 'in oslo.messaging "amqp" is the AMQP 1.0 driver; for RabbitMQ write rabbit://'
      : 'only RabbitMQ is spoken here: write rabbit://';
  throw new TransportUrlError('scheme', `"${scheme}" is not supported: ${why}`);
}

function endpoint(part: string): BrokerEndpoint {
  const at = part.lastIndexOf('@');
  const credentials = at < 0 ? undefined : part.slice(0, at);
  const { host, port } = splitHost(part.slice(at + 1));
  if (credentials === undefined) return { host, port, username: DEFAULT_ACCOUNT, password: DEFAULT_ACCOUNT };
  const colon = credentials.indexOf(':');
  const username = decoded(colon < 0 ? credentials : credentials.slice(0, colon), 'username');
  const password = colon < 0 ? '' : decoded(credentials.slice(colon + 1), 'password');
  return { host, port, username, password };
}

function splitHost(text: string): { host: string; port: number } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed) return { host: bracketed[1] ?? '', port: portNumber(bracketed[2] ?? '') };
  if (text.startsWith('['))
    throw new TransportUrlError('host', 'an IPv6 address needs its closing bracket: [2001:db8::1]:5672');
  const pieces = text.split(':');
  if (pieces.length > 2)
    throw new TransportUrlError('host', 'an IPv6 address is written in brackets: [2001:db8::1]:5672');
  return { host: pieces[0] || 'localhost', port: portNumber(pieces[1] ?? '') };
}

function portNumber(text: string): number {
  if (text === '') return DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) {
    throw new TransportUrlError(
      'port',
      'is not a number from 1 to 65535; does the password hold an unescaped "/", "," or "@"?',
    );
  }
  return port;
}

function parseQuery(text: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [key, value] of new URLSearchParams(text)) {
    const before = Object.hasOwn(query, key) ? query[key] : undefined;
    query[key] = before === undefined ? value : `${before},${value}`;
  }
  return query;
}

function decoded(text: string, field: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TransportUrlError(field, 'holds a "%" that starts no percent-encoding: write it as %25');
  }
}
