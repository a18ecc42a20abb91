import type { Duplex } from 'node:stream';
import { OvsdbConnectionError, OvsdbTimeout } from './errors';
import { openTarget, parseTarget, type TlsFiles } from './target';

/** Where to connect: a target in the notation of ovsdb(7), or a function that yields an open stream. */
export type StreamSource = string | (() => Duplex);

/**
 * Opens the stream of a session.
 * @throws OvsdbConnectionError, OvsdbTimeout, OvsdbTargetError
 */
export function openStream(
  source: StreamSource,
  tls: TlsFiles | undefined,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    if (typeof source !== 'string') {
      resolve(source());
      return;
    }
    const { socket, opened } = openTarget(parseTarget(source), tls);
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      socket.off('error', failed);
      socket.off('close', closed);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const aborted = (): void => settle(new OvsdbConnectionError('stopped', 'the OVSDB client was stopped'));
    const failed = (cause: Error): void =>
      settle(
        new OvsdbConnectionError('refused', `cannot connect to ${source}: ${cause.message}`, 'not-sent', { cause }),
      );
    const closed = (): void => settle(new OvsdbConnectionError('refused', `${source} closed the connection at once`));
    const timer = setTimeout(() => settle(new OvsdbTimeout(`connection to ${source}`, timeoutMs)), timeoutMs);
    signal.addEventListener('abort', aborted);
    socket.once(opened, () => settle());
    socket.on('error', failed);
    socket.on('close', closed);
  });
}
