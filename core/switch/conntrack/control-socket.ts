import { readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { reasonOf } from '@patchbay/sdk';
import { JsonStream } from '../ovsdb/json-stream';

/** ovs-vswitchd said no, or could not be asked. */
export class ControlRefused extends Error {
  override readonly name = 'ControlRefused';
}

/** Asks ovs-vswitchd what `ovs-appctl` asks it (ovs-appctl(8)); answers with what it prints. */
export type AskVswitchd = (command: string, ...words: readonly string[]) => Promise<string>;

/** The control socket of the ovs-vswitchd that runs: its name holds the process id, which its pid file says. */
export async function controlSocketIn(runDir: string): Promise<string> {
  const file = join(runDir, 'ovs-vswitchd.pid');
  const pid = (await readFile(file, 'utf8')).trim();
  if (!/^\d+$/.test(pid)) throw new ControlRefused(`${file} holds no process id`);
  return join(runDir, `ovs-vswitchd.${pid}.ctl`);
}

/**
 * Asks over the socket that `socket` answers, one connection a question: they are rare, and ovs-vswitchd restarts.
 * @throws ControlRefused with what ovs-vswitchd said, or why it was not reached within `timeoutMs`.
 */
export function askOver(socket: () => Promise<string>, timeoutMs: number): AskVswitchd {
  return async (command, ...words) => {
    const path = await socket().catch((error: Error) => {
      throw new ControlRefused(`ovs-vswitchd cannot be asked: ${error.message}`);
    });
    return ask(path, command, words, timeoutMs);
  };
}

function ask(path: string, method: string, params: readonly string[], timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    const refuse = (reason: string) => {
      socket.destroy();
      reject(new ControlRefused(`ovs-vswitchd, asked for ${method}: ${reason}`));
    };
    const stream = new JsonStream((message) => {
      const { result, error } = message as { readonly result?: unknown; readonly error?: unknown };
      if (typeof result !== 'string') return refuse(typeof error === 'string' ? error.trim() : 'no answer in it');
      socket.destroy();
      resolve(result);
    });
    socket.setTimeout(timeoutMs, () => refuse(`no answer within ${timeoutMs} ms`));
    socket.on('error', (error) => refuse(error.message));
    socket.on('close', () => refuse('the connection was closed'));
    socket.on('data', (chunk: Buffer) => {
      try {
        stream.push(chunk);
      } catch (error) {
        refuse(reasonOf(error));
      }
    });
    socket.write(JSON.stringify({ id: 0, method, params }));
  });
}
