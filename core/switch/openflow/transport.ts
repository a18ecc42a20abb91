import { connect as connectSocket, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { OpenFlowConnectionError } from './errors';

/** Where a bridge answers: its management socket `<rundir>/<bridge>.mgmt`, or a passive connection that an operator set. */
export type OpenFlowTarget =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'ssl';
      readonly host: string;
      readonly port: number;
      readonly certificate?: string;
      readonly privateKey?: string;
      readonly authority?: string;
    };

/** Connects to a target. @throws OpenFlowConnectionError, also when `timeout` milliseconds pass. */
export function openSocket(target: OpenFlowTarget, timeout: number): Promise<Socket> {
  const socket =
    target.kind === 'unix'
      ? connectSocket(target.path)
      : target.kind === 'tcp'
        ? connectSocket(target.port, target.host)
        : connectTls({
            host: target.host,
            port: target.port,
            ...(target.certificate === undefined ? {} : { cert: target.certificate }),
            ...(target.privateKey === undefined ? {} : { key: target.privateKey }),
            ...(target.authority === undefined ? {} : { ca: target.authority }),
            checkServerIdentity: () => undefined,
          });
  const place = target.kind === 'unix' ? target.path : `${target.host}:${target.port}`;
  return new Promise((resolve, reject) => {
    const fail = (cause?: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new OpenFlowConnectionError(`cannot connect to ${target.kind}:${place}`, { cause }));
    };
    const timer = setTimeout(fail, timeout);
    socket.once('error', fail);
    socket.once(target.kind === 'ssl' ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}
