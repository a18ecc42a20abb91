import type { LogFields, Logger } from '@patchbay/sdk';

export interface LoggedLine {
  readonly plugin: string;
  readonly level: keyof Logger;
  readonly sentence: string;
  readonly fields: LogFields;
}

/** Loggers that keep their lines. */
export class RecordingLog {
  readonly lines: LoggedLine[] = [];

  readonly for = (plugin: string): Logger => {
    const at =
      (level: keyof Logger) =>
      (sentence: string, fields: LogFields = {}): void => {
        this.lines.push({ plugin, level, sentence, fields });
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  };

  of(level: keyof Logger): readonly LoggedLine[] {
    return this.lines.filter((line) => line.level === level);
  }
}
