import { qosRuleTypes, shapes } from './shapes';

type JsonObject = Readonly<Record<string, unknown>>;

const NAMESPACE = 'versionedobjects';
const ruleClasses = new Map(Object.entries(qosRuleTypes).map(([name, word]) => [word, name]));

/**
 * Writes a plain object as the primitive the server would send: nested objects as primitives of their own, dictionaries of free values
 * as JSON text. Undefined fields are left out. The inverse of decodeVersionedObject; a stand-in for the server needs it, an agent does not.
 */
export function encodeVersionedObject(
  type: string,
  object: JsonObject,
  version = shapes[type]?.version ?? '1.0',
): JsonObject {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined || (name === 'rule_type' && type in qosRuleTypes)) continue;
    fields[name] = encodeField(type, name, value);
  }
  return {
    'versioned_object.name': type,
    'versioned_object.namespace': NAMESPACE,
    'versioned_object.version': version,
    'versioned_object.data': fields,
  };
}

function encodeField(type: string, name: string, value: unknown): unknown {
  const shape = shapes[type]?.fields[name];
  if (value === null || !shape) return value;
  if (shape.kind === 'jsonText') return JSON.stringify(value);
  if (shape.kind === 'object' && shape.type !== undefined) return encodeNested(shape.type, value);
  if (shape.kind === 'objects' && shape.type !== undefined && Array.isArray(value)) {
    const { type: nestedType } = shape;
    return value.map((each) => encodeNested(nestedType, each));
  }
  return value;
}

function encodeNested(type: string, value: unknown): unknown {
  const object = value as JsonObject;
  const ruleType = object.rule_type;
  return encodeVersionedObject(typeof ruleType === 'string' ? (ruleClasses.get(ruleType) ?? type) : type, object);
}
