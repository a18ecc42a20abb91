import { RpcError } from '../errors';

export type VersionedObjectProblem = 'not-an-object' | 'missing-field' | 'wrong-type' | 'not-json';

/** A versioned object that does not keep to its type. `field` is the path from the outermost object. */
export class VersionedObjectError extends RpcError {
  constructor(
    readonly problem: VersionedObjectProblem,
    readonly type: string,
    readonly field: string,
    message: string,
  ) {
    super('versioned-object-invalid', `${type}.${field}: ${message}`);
  }
}
