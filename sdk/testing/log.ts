import type { LogFields, Logger } from '@patchbay/sdk';

export interface LoggedLine {
  readonly plugin: string;
  readonly level: keyof Logger;
  readonly sentence: string;
  readonly fields: LogFields;
}

/** Everything that was logged in a test. */
export class RecordedLog {
  readonly lines: LoggedLine[] = [];

  readonly for = (plugin: string): Logger => {
    const at =
      (level: keyof Logger) =>
      (sentence: string, fields: LogFields = {}): void => {
        this.lines.push({ plugin, level, sentence, fields });
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  };

  of(plugin: string, level?: keyof Logger): readonly LoggedLine[] {
    return this.lines.filter((line) => line.plugin === plugin && (level === undefined || line.level === level));
  }
}
