import type { CallOptions, RpcTarget } from './client';
import { type DecodedObject, decodeVersionedObject, idOf } from './versioned-objects/decode';
import { VersionedObjectError } from './versioned-objects/errors';
import type { ResourceTypes } from './versioned-objects/types';

/** The server's endpoint for pulls (ResourcesPullRpcCallback) and the version of it that can pull in bulk. */
const PULL_TARGET: RpcTarget = { topic: 'q-plugin', version: '1.1' };
/** The version in which the server pushes. */
export const PUSH_VERSION = '1.1';

/** The topic under which the server pushes objects of a type in a version. */
export function resourceTopic(type: string, version: string): string {
  return `neutron-vo-${type}-${version}`;
}

type Call = (
  target: RpcTarget,
  method: string,
  args: Readonly<Record<string, unknown>>,
  options?: CallOptions,
) => Promise<unknown>;

/** An object that the server sent and that does not keep to its type. */
export interface UnreadableObject {
  /** Undefined where not even that can be read. */
  readonly id: string | undefined;
  readonly error: VersionedObjectError;
}

/** What came of a list of objects: one that cannot be read takes none of the others with it. */
export interface ReadObjects<T> {
  readonly objects: readonly T[];
  readonly unreadable: readonly UnreadableObject[];
}

/** Field to wanted values; values of one field are OR-ed, fields are AND-ed. */
export type ResourceFilter = Readonly<Record<string, readonly unknown[]>>;

/** Pulls versioned objects. All its requests are idempotent and are asked again if the broker loses the reply queue. */
export class ResourceClient {
  constructor(private readonly call: Call) {}

  /** One object by id (for a Trunk: by the id of its parent port), or undefined if the server has none. */
  async pull<Type extends keyof ResourceTypes>(
    type: Type,
    version: string,
    id: string,
    options?: CallOptions,
  ): Promise<ResourceTypes[Type] | undefined> {
    const primitive = await this.call(
      PULL_TARGET,
      'pull',
      { resource_type: type, version, resource_id: id },
      { idempotent: true, ...options },
    );
    return primitive === null ? undefined : decodeAs(type, primitive);
  }

  /** All objects that match; without a filter, all there are. Rejects with RemoteError InvalidTargetVersion for a version newer than the server's. */
  async bulkPull<Type extends keyof ResourceTypes>(
    type: Type,
    version: string,
    filter?: ResourceFilter,
    options?: CallOptions,
  ): Promise<ReadObjects<ResourceTypes[Type]>> {
    const primitives = await this.call(
      PULL_TARGET,
      'bulk_pull',
      { resource_type: type, version, filter_kwargs: filter ?? null },
      { idempotent: true, ...options },
    );
    if (!Array.isArray(primitives))
      throw new VersionedObjectError('not-an-object', type, 'result', 'bulk_pull must answer with a list');
    return readEach(primitives, (primitive) => decodeAs(type, primitive));
  }
}

/** A push from the server: objects of one type, all created, updated or deleted. */
export interface ResourcePush extends ReadObjects<DecodedObject> {
  readonly event: 'created' | 'updated' | 'deleted';
}

/**
 * Reads the arguments of a `push`. What is deleted may come with its id alone, and is then a partial object.
 * Throws VersionedObjectError where it is no list of objects, or not said what became of them.
 */
export function decodePush(args: Readonly<Record<string, unknown>>): ResourcePush {
  const { event_type: event, resource_list: list } = args;
  if (event !== 'created' && event !== 'updated' && event !== 'deleted') {
    throw new VersionedObjectError(
      'wrong-type',
      'push',
      'event_type',
      `is ${JSON.stringify(event)}, not created, updated or deleted`,
    );
  }
  if (!Array.isArray(list)) throw new VersionedObjectError('wrong-type', 'push', 'resource_list', 'must be a list');
  return {
    event,
    ...readEach(list, (primitive) => decodeVersionedObject(primitive, { partial: event === 'deleted' })),
  };
}

/** Topics to listen to, in version 1.1, for pushes of these types; type to version. */
export function pushTopics(versions: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(versions).map(([type, version]) => resourceTopic(type, version));
}

function readEach<T>(primitives: readonly unknown[], read: (primitive: unknown) => T): ReadObjects<T> {
  const objects: T[] = [];
  const unreadable: UnreadableObject[] = [];
  for (const primitive of primitives) {
    try {
      objects.push(read(primitive));
    } catch (error) {
      if (!(error instanceof VersionedObjectError)) throw error;
      unreadable.push({ id: idOf(primitive), error });
    }
  }
  return { objects, unreadable };
}

function decodeAs<Type extends keyof ResourceTypes>(type: Type, primitive: unknown): ResourceTypes[Type] {
  const decoded = decodeVersionedObject(primitive);
  if (decoded.type !== type) {
    throw new VersionedObjectError(
      'wrong-type',
      type,
      'versioned_object.name',
      `the server answered with a ${decoded.type}`,
    );
  }
  return decoded.object as unknown as ResourceTypes[Type];
}
