import { examineIni, type IniInput } from './translate';

/** A line of `config check`. With a `refused` among them the agent would not start. */
export interface Finding {
  readonly severity: 'refused' | 'warning';
  /** Of what is refused; docs/errors.md has a section on each. */
  readonly code?: string;
  readonly message: string;
}

/** Everything there is to say about the reference agent's files: what stops the start first. */
export function checkIni(input: IniInput): readonly Finding[] {
  const { configuration, problems, unknown } = examineIni(input);
  return [
    ...problems.map(({ code, message }): Finding => ({ severity: 'refused', code, message })),
    ...[...(configuration?.warnings ?? []), ...unknown].map((message): Finding => ({ severity: 'warning', message })),
  ];
}
