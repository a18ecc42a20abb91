import { request } from 'node:http';
import { CliErrors } from '../errors';

/** Asks the running agent; with words, has a command of a plugin's run. Rejects with a sentence for people where none runs, or it refuses. */
export function ask<T>(socket: string, path: string, words?: readonly string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const method = words === undefined ? 'GET' : 'POST';
    const asking = request({ socketPath: socket, path, method, headers: { connection: 'close' } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if (response.statusCode === 200) {
          resolve((response.headers['content-type'] === 'application/json' ? JSON.parse(text) : text) as T);
        } else {
          reject(CliErrors.agentRefused({ reason: reasonIn(text) }));
        }
      });
    });
    asking.on('error', (error: NodeJS.ErrnoException) => {
      reject(CliErrors.notRunning({ socket, reason: error.code ?? error.message }));
    });
    asking.end(words === undefined ? undefined : JSON.stringify(words));
  });
}

function reasonIn(text: string): string {
  try {
    return (JSON.parse(text) as { error?: string }).error ?? text;
  } catch {
    return text;
  }
}
