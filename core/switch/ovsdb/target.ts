import { readFileSync } from 'node:fs';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { OvsdbTargetError } from './errors';

/** Where an OVSDB server listens. */
export type Target =
  | { readonly transport: 'unix'; readonly path: string }
  | { readonly transport: 'tcp' | 'ssl'; readonly host: string; readonly port: number };

/** Files (PEM) for an `ssl:` target, read anew for each connection so that a renewed certificate needs no restart. */
export interface TlsFiles {
  readonly privateKey: string;
  readonly certificate: string;
  readonly caCertificate: string;
  /**
   * `chain` (the default, and what OVS's own tools do): any certificate the CA signed is accepted, for those made by
   * `ovs-pki` carry no host name. `hostname`: the certificate must also name the host.
   */
  readonly verify?: 'chain' | 'hostname';
}

/** The port IANA gave to OVSDB (RFC 7047 section 6). */
export const DEFAULT_PORT = 6640;

/**
 * Reads `unix:PATH`, `tcp:HOST[:PORT]` or `ssl:HOST[:PORT]`, the notation of ovsdb(7); an IPv6 address stands in brackets.
 * @throws OvsdbTargetError for anything else.
 */
export function parseTarget(text: string): Target {
  const separator = text.indexOf(':');
  const transport = text.slice(0, Math.max(separator, 0));
  const rest = text.slice(separator + 1);
  switch (transport) {
    case 'unix':
      if (rest === '') throw new OvsdbTargetError(text, 'the path of the socket is missing');
      return { transport, path: rest };
    case 'tcp':
    case 'ssl':
      return { transport, ...parseHostAndPort(text, rest) };
    case 'punix':
    case 'ptcp':
    case 'pssl':
      throw new OvsdbTargetError(
        text,
        `${transport} makes a server listen; a client connects to ${transport.slice(1)}:`,
      );
    default:
      throw new OvsdbTargetError(text, 'it must begin with unix:, tcp: or ssl:');
  }
}

function parseHostAndPort(text: string, rest: string): { readonly host: string; readonly port: number } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(rest);
  if (bracketed === null && isIP(rest) === 6) {
    throw new OvsdbTargetError(text, 'an IPv6 address must stand in brackets, as in tcp:[::1]:6640');
  }
  const match = bracketed ?? /^([^:[\]]+)(?::(\d+))?$/.exec(rest);
  const host = match?.[1];
  if (host === undefined) throw new OvsdbTargetError(text, 'the host or the port is malformed');
  const port = match?.[2] === undefined ? DEFAULT_PORT : Number(match[2]);
  if (port < 1 || port > 65535) throw new OvsdbTargetError(text, `port ${port} is not in 1..65535`);
  return { host, port };
}

/**
 * Begins to connect. The socket is returned before it is connected, so that the caller can give up on it, with the event
 * that says it is usable. Nagle's algorithm is off: a transaction is one small write whose answer somebody awaits.
 * @throws OvsdbTargetError where an `ssl:` target comes without its files.
 */
export function openTarget(
  target: Target,
  tls: TlsFiles | undefined,
): { readonly socket: Socket; readonly opened: string } {
  switch (target.transport) {
    case 'unix':
      return { socket: connectSocket({ path: target.path }), opened: 'connect' };
    case 'tcp':
      return { socket: connectSocket({ host: target.host, port: target.port, noDelay: true }), opened: 'connect' };
    case 'ssl': {
      if (tls === undefined) {
        throw new OvsdbTargetError(
          `ssl:${target.host}:${target.port}`,
          'needs a private key, a certificate and a CA certificate',
        );
      }
      const socket = connectTls({
        host: target.host,
        port: target.port,
        ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
        key: readFileSync(tls.privateKey),
        cert: readFileSync(tls.certificate),
        ca: readFileSync(tls.caCertificate),
        ...(tls.verify === 'hostname' ? {} : { checkServerIdentity: () => undefined }),
      });
      socket.setNoDelay(true);
      return { socket, opened: 'secureConnect' };
    }
  }
}
