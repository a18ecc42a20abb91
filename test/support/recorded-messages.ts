import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RecordedMessage {
  readonly name: string;
  readonly exchange: string;
  readonly routing_keys: readonly string[];
  readonly properties: Readonly<Record<string, unknown>>;
  readonly body: { readonly 'oslo.version': string; readonly 'oslo.message': string };
}

const file = join(__dirname, '../fixtures/rpc/recorded.jsonl');

export const recordedMessages: readonly RecordedMessage[] = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as RecordedMessage);

export function recorded(name: string): RecordedMessage {
  const found = recordedMessages.find((message) => message.name === name);
  if (!found) throw new Error(`no recorded message ${name}`);
  return found;
}

/** The bytes on the wire. */
export function bodyOf(message: RecordedMessage): Buffer {
  return Buffer.from(JSON.stringify(message.body));
}
