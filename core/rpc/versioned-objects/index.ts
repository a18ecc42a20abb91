export { type DecodedObject, type DecodeOptions, decodeVersionedObject } from './decode';
export { encodeVersionedObject } from './encode';
export { VersionedObjectError, type VersionedObjectProblem } from './errors';
export * from './types';
