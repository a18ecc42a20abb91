import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface LogOutput {
  write(line: string, level: number): void;
  /** Lets go of the file; a line that comes all the same opens it by name again. */
  close(): void;
}

/** The write that outputs use: takes all of the text or throws. */
export type WriteAll = (descriptor: number, text: string) => void;

const writeAll: WriteAll = (descriptor, text) => {
  const bytes = Buffer.from(text);
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset);
};

/** A log file. A full disk or a missing directory loses lines and says later how many; it never ends the agent. */
export function fileOutput(file: string, write: WriteAll = writeAll): LogOutput {
  let descriptor: number | undefined;
  let lost = 0;
  const open = (): number => {
    mkdirSync(dirname(file), { recursive: true });
    return openSync(file, 'a', 0o640);
  };
  const close = (): void => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  return {
    write(line) {
      try {
        descriptor ??= open();
        write(descriptor, lost > 0 ? `${lost} lines of this log could not be written\n${line}` : line);
        lost = 0;
      } catch {
        lost += 1;
      }
    },
    close,
  };
}

/** Syslog priorities (sd-daemon(3)) by pino's levels. */
const PRIORITY: Readonly<Record<number, number>> = { 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };

/** Standard error. With `journal`, each line starts with its priority, as systemd's journal reads it. */
export function stderrOutput(format: 'plain' | 'journal', write: WriteAll = writeAll): LogOutput {
  return {
    write(line, level) {
      try {
        write(2, format === 'journal' ? `<${PRIORITY[level] ?? 6}>${line}` : line);
      } catch {
        // A closed or full standard error is no reason to stop forwarding frames.
      }
    },
    close: () => undefined,
  };
}

/** pino's level of an error. */
const ERROR = 50;

/** For one who asked a question and not for a log. */
export function onlyErrors(output: LogOutput): LogOutput {
  return {
    write(line, level) {
      if (level >= ERROR) output.write(line, level);
    },
    close: () => output.close(),
  };
}
