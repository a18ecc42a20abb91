import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Logger, reasonOf, type Store } from '@patchbay/sdk';
import { KernelError } from './errors';
import { isPlainObject } from './plain';

/** A plugin's values in one JSON file, written to a side file first, so that a crash leaves the old values or the new. */
export class FileStore implements Store {
  private readonly file: string;
  private values: Promise<Map<string, string>> | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    stateDir: string,
    plugin: string,
    private readonly logger: Logger,
  ) {
    this.file = join(stateDir, `${plugin}.json`);
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.loaded()).get(key);
  }

  async set(key: string, value: string): Promise<void> {
    if (typeof value !== 'string') throw new TypeError(`the value of ${key} is a ${typeof value}, not text`);
    (await this.loaded()).set(key, value);
    await this.write();
  }

  async delete(key: string): Promise<void> {
    if ((await this.loaded()).delete(key)) await this.write();
  }

  private loaded(): Promise<Map<string, string>> {
    this.values ??= this.read();
    return this.values;
  }

  private async read(): Promise<Map<string, string>> {
    let text: string;
    try {
      text = await readFile(this.file, 'utf8');
    } catch (thrown) {
      if (isMissing(thrown)) return new Map();
      this.values = undefined;
      throw thrown;
    }
    try {
      return parsed(text);
    } catch (thrown) {
      const aside = `${this.file}.damaged`;
      await rename(this.file, aside);
      const error = KernelError.storeDamaged({ file: this.file, aside, reason: reasonOf(thrown) }, thrown);
      this.logger.warn('Stored values could not be read and were set aside', { code: error.code, file: aside });
      return new Map();
    }
  }

  private write(): Promise<void> {
    const written = this.writing.then(async () => {
      const values = await this.loaded();
      await mkdir(dirname(this.file), { recursive: true, mode: 0o750 });
      const side = `${this.file}.new`;
      await writeFile(side, `${JSON.stringify(Object.fromEntries(values))}\n`, { mode: 0o640, flush: true });
      await rename(side, this.file);
    });
    this.writing = written.catch(() => undefined);
    return written;
  }
}

function parsed(text: string): Map<string, string> {
  const content: unknown = JSON.parse(text);
  if (!isPlainObject(content)) throw new TypeError('it holds no object');
  return new Map(
    Object.entries(content).map(([key, value]) => {
      if (typeof value !== 'string') throw new TypeError(`the value of ${key} is no text`);
      return [key, value];
    }),
  );
}

function isMissing(thrown: unknown): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === 'ENOENT';
}
