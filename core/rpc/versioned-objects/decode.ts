import { VersionedObjectError } from './errors';
import { type FieldShape, qosRuleTypes, shapes } from './shapes';

type JsonObject = Readonly<Record<string, unknown>>;

export interface DecodedObject {
  /** The name of the type, such as Port. */
  readonly type: string;
  readonly version: string;
  /** The plain object; of a type that is not known, its fields as they came. */
  readonly object: JsonObject;
}

export interface DecodeOptions {
  /** Take what is there and fill nothing in: the server announces a deletion with the id alone. */
  readonly partial?: boolean;
}

const NAME = 'versioned_object.name';
const VERSION = 'versioned_object.version';
const FIELDS = 'versioned_object.data';

/** Turns a primitive, with all that is nested in it, into plain data. Throws VersionedObjectError, which names the type and the field. */
export function decodeVersionedObject(primitive: unknown, options: DecodeOptions = {}): DecodedObject {
  if (!isPrimitive(primitive)) {
    throw new VersionedObjectError(
      'not-an-object',
      'versioned object',
      NAME,
      'is missing: this is no versioned object',
    );
  }
  const type = primitive[NAME];
  return {
    type,
    version: String(primitive[VERSION] ?? ''),
    object: decodeFields(primitive, type, '', options.partial ?? false),
  };
}

/** The id of a primitive, read though the rest of it may not keep to its type. */
export function idOf(primitive: unknown): string | undefined {
  const id = isPrimitive(primitive) ? primitive[FIELDS].id : undefined;
  return typeof id === 'string' ? id : undefined;
}

interface Primitive extends JsonObject {
  readonly [NAME]: string;
  readonly [FIELDS]: JsonObject;
}

function decodeFields(primitive: Primitive, root: string, path: string, partial: boolean): JsonObject {
  const type = primitive[NAME];
  const given = primitive[FIELDS];
  const known = shapes[type]?.fields ?? {};
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const shape = known[name];
    plain[name] = shape
      ? decodeField(value, shape, root, join(path, name), partial)
      : decodeUnknown(value, root, join(path, name), partial);
  }
  const ruleType = qosRuleTypes[type];
  if (ruleType !== undefined) plain.rule_type = ruleType;
  if (partial) return plain;
  for (const [name, shape] of Object.entries(known)) {
    if (Object.hasOwn(given, name)) continue;
    if (shape.required)
      throw new VersionedObjectError('missing-field', root, join(path, name), `is missing in a ${type}`);
    plain[name] = copyOf(shape.fallback);
  }
  return plain;
}

function decodeField(value: unknown, shape: FieldShape, root: string, path: string, partial: boolean): unknown {
  if (value === null) {
    if (shape.required && !partial) throw new VersionedObjectError('missing-field', root, path, 'is null');
    return copyOf(shape.fallback);
  }
  const wrong = (expected: string) =>
    new VersionedObjectError('wrong-type', root, path, `must be ${expected}, not ${JSON.stringify(value)}`);
  switch (shape.kind) {
    case 'string':
      if (typeof value !== 'string') throw wrong('a string');
      return value;
    case 'integer':
      if (!Number.isInteger(value)) throw wrong('an integer');
      return value;
    case 'boolean':
      if (typeof value !== 'boolean') throw wrong('a boolean');
      return value;
    case 'strings':
      if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) throw wrong('a list of strings');
      return value;
    case 'jsonText':
      return decodeJsonText(value, root, path);
    case 'objects':
      if (!Array.isArray(value)) throw wrong('a list of objects');
      return value.map((each, index) => decodeUnknown(each, root, `${path}[${index}]`, partial));
    case 'object':
    case 'any':
      return decodeUnknown(value, root, path, partial);
  }
}

/** A DictOfMiscValues travels as JSON text; an empty text stands for an empty dictionary. */
function decodeJsonText(value: unknown, root: string, path: string): JsonObject {
  if (isObject(value)) return value;
  if (value === '') return {};
  let parsed: unknown;
  try {
    parsed = typeof value === 'string' ? JSON.parse(value) : undefined;
  } catch {
    parsed = undefined;
  }
  if (!isObject(parsed))
    throw new VersionedObjectError('not-json', root, path, 'must be a JSON object written as a string');
  return parsed;
}

function decodeUnknown(value: unknown, root: string, path: string, partial: boolean): unknown {
  if (isPrimitive(value)) return decodeFields(value, root, path, partial);
  if (Array.isArray(value)) return value.map((each, index) => decodeUnknown(each, root, `${path}[${index}]`, partial));
  return value;
}

function isPrimitive(value: unknown): value is Primitive {
  return isObject(value) && typeof value[NAME] === 'string' && isObject(value[FIELDS]);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function copyOf(fallback: unknown): unknown {
  if (Array.isArray(fallback)) return [];
  return isObject(fallback) ? {} : fallback;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
