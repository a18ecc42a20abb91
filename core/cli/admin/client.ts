import { get } from 'node:http';
import { CliErrors } from '../errors';

/** Asks the running agent. Rejects with a sentence for people where none runs, or it refuses. */
export function ask<T>(socket: string, path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath: socket, path, headers: { connection: 'close' } }, (response) => {
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
    request.on('error', (error: NodeJS.ErrnoException) => {
      reject(CliErrors.notRunning({ socket, reason: error.code ?? error.message }));
    });
  });
}

function reasonIn(text: string): string {
  try {
    return (JSON.parse(text) as { error?: string }).error ?? text;
  } catch {
    return text;
  }
}
