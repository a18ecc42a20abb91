import { basename, isAbsolute, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { LogFields, Logger } from '@patchbay/sdk';
import { pino } from 'pino';
import type { LoggingSettings } from '../config/model';
import { fileOutput, type LogOutput, stderrOutput } from './outputs';
import { redacted, withoutPasswords } from './redaction';
import { textLine } from './text';

export interface Logging {
  /** The logger of one plugin, or of a part of the agent. */
  for(plugin: string): Logger;
  /** SIGHUP: every logger that exists goes by these settings now, and the log file is opened by name again, for a rotation moved it. */
  reload(settings: LoggingSettings): void;
}

/** The agent's log: one line an event, no password in it, to the outputs that the settings name. */
export function createLogging(
  settings: LoggingSettings,
  outputsFor: (settings: LoggingSettings) => readonly LogOutput[] = outputsOf,
): Logging {
  let present = settings;
  let outputs = outputsFor(settings);
  const stream = {
    write(json: string): void {
      const level = Number(/"level":(\d+)/.exec(json)?.[1] ?? 30);
      const line = present.use_json ? json : textLine(json);
      for (const output of outputs) output.write(line, level);
    },
  };
  // Children are made at the lowest level and the switch is asked per line, so that it reaches all of them.
  const root = pino({ level: 'debug', base: { pid: process.pid }, formatters: { log: shown } }, stream);
  return {
    for(plugin) {
      const child = root.child({ plugin });
      return {
        debug: (sentence, fields) => {
          if (present.debug) child.debug(fields ?? {}, withoutPasswords(sentence));
        },
        info: (sentence, fields) => child.info(fields ?? {}, withoutPasswords(sentence)),
        warn: (sentence, fields) => child.warn(fields ?? {}, withoutPasswords(sentence)),
        error: (sentence, fields) => child.error(fields ?? {}, withoutPasswords(sentence)),
      };
    },
    reload(now) {
      for (const output of outputs) output.close();
      // An output that stays the same knows how many lines it could not write.
      if (!isDeepStrictEqual({ ...present, debug: now.debug }, now)) outputs = outputsFor(now);
      present = now;
    },
  };
}

/** What pino writes itself may not be overwritten by a field of the same name. */
const RESERVED = new Set(['level', 'time', 'pid', 'plugin', 'msg']);

function shown(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(redacted(fields) as LogFields).map(([key, value]) => [RESERVED.has(key) ? `${key}_` : key, value]),
  );
}

/** The name oslo.log would give: the program's own, in `log_dir`, unless `log_file` says another. */
export function logFileOf(settings: Pick<LoggingSettings, 'log_file' | 'log_dir'>): string | null {
  const { log_file: file, log_dir: directory } = settings;
  if (file === null) return directory === null ? null : join(directory, 'patchbay.log');
  if (directory === null || isAbsolute(file)) return file;
  return join(directory, basename(file) === file ? file : file.replace(/^\.\//, ''));
}

function outputsOf(settings: LoggingSettings): readonly LogOutput[] {
  const file = logFileOf(settings);
  // Node has no datagram sockets of the unix kind, which /dev/log is: journald takes lines by priority and passes them to syslog.
  const journal = settings.use_journal || settings.use_syslog;
  const stderr = settings.use_stderr || journal || file === null;
  return [
    ...(file === null ? [] : [fileOutput(file)]),
    ...(stderr ? [stderrOutput(journal ? 'journal' : 'plain')] : []),
  ];
}
