/** Where something is written. `line` counts from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export type OsloConfigProblem =
  /** A line that is neither a section, an assignment, a comment nor a continuation. */
  | { readonly kind: 'syntax'; readonly place: Place; readonly text: string }
  /** A value that is not of its option's type. */
  | { readonly kind: 'value'; readonly section: string; readonly option: string; readonly origin: string }
  /** A `$name` that leads nowhere, or in a circle. */
  | { readonly kind: 'reference'; readonly section: string; readonly option: string; readonly origin: string }
  /** A file or directory that was asked for and cannot be read. */
  | { readonly kind: 'files'; readonly paths: readonly string[] };

export class OsloConfigError extends Error {
  override readonly name = 'OsloConfigError';

  constructor(
    message: string,
    readonly problem: OsloConfigProblem,
  ) {
    super(message);
  }
}
