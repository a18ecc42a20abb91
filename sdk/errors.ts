/** How the host treats an error: `refused` is bad input and is not tried again, `transient` is tried again with back-off, `fatal` asks for a shutdown. */
export type ErrorClass = 'refused' | 'transient' | 'fatal';

export interface ErrorDefinition {
  readonly code: string;
  readonly class: ErrorClass;
  /** The sentence, with `{field}` places, naming the likely mistake. */
  readonly template: string;
}

/** An error with a code (`PB-…`), documented under docs/errors.md. */
export class PatchbayError extends Error {
  override readonly name = 'PatchbayError';
  readonly code: string;
  readonly class: ErrorClass;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(definition: ErrorDefinition, fields: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(`${definition.code}: ${fill(definition.template, fields)}`, cause === undefined ? undefined : { cause });
    this.code = definition.code;
    this.class = definition.class;
    this.fields = fields;
  }
}

/** Makes the constructors of a family of errors from their definitions; a plugin's own codes start with its id in capitals. */
export function defineErrors<const T extends Readonly<Record<string, ErrorDefinition>>>(
  definitions: T,
): { readonly [K in keyof T]: (fields?: Readonly<Record<string, unknown>>, cause?: unknown) => PatchbayError } & {
  readonly definitions: T;
} {
  const made = Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [
      name,
      (fields?: Readonly<Record<string, unknown>>, cause?: unknown) => new PatchbayError(definition, fields, cause),
    ]),
  );
  return Object.assign(made, { definitions }) as ReturnType<typeof defineErrors<T>>;
}

function fill(template: string, fields: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => (name in fields ? show(fields[name]) : place));
}

function show(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return value.message;
  if (Array.isArray(value)) return value.map(show).join(', ');
  return (
    JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? inner.toString() : inner)) ?? String(value)
  );
}

/** The message of whatever was thrown. */
export function reasonOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    // An object without a prototype, or whose toString throws.
    return 'what was thrown has no text';
  }
}
