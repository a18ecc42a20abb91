import { FlowNotationError } from './errors';
import type { PortRef, ReservedPort } from './model';

const RESERVED: ReadonlySet<string> = new Set([
  'IN_PORT',
  'NORMAL',
  'FLOOD',
  'ALL',
  'CONTROLLER',
  'LOCAL',
] satisfies ReservedPort[]);

/** The reserved port of that name in any case, or undefined. */
export function reservedPort(text: string): ReservedPort | undefined {
  const upper = text.toUpperCase();
  return RESERVED.has(upper) ? (upper as ReservedPort) : undefined;
}

/** A port as ovs-ofctl writes it: number, reserved name, or the name of an interface, quoted when it could be read as something else. */
export function parsePort(text: string): PortRef {
  if (/^"[^"]+"$/.test(text)) return { port: text.slice(1, -1) };
  if (/^(0x[0-9a-fA-F]+|[0-9]+)$/.test(text)) return Number(text);
  const reserved = reservedPort(text);
  if (reserved !== undefined) return reserved;
  if (text === '' || /[\s,()="]/.test(text))
    throw new FlowNotationError('port', `'${text}' is neither a number nor a port name`);
  return { port: text };
}

export function formatPort(port: PortRef): string {
  if (typeof port === 'object') return `"${port.port}"`;
  return String(port);
}
