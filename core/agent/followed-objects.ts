import type { CachedObject, ObjectCache, ObjectChange, Unsubscribe } from '@patchbay/sdk';
import {
  type CachedResource,
  type PulledResources,
  ResourceCache,
  type ResourceQuery,
  type UnreadableResource,
} from './resource-cache';

type Objects = { readonly [type: string]: CachedResource };

/** What the agent looks objects up by. */
const INDICES: Readonly<Record<string, readonly string[]>> = {
  Port: ['security_group_ids', 'network_id'],
  SecurityGroupRule: ['security_group_id', 'remote_group_id', 'remote_address_group_id'],
  Subnet: ['network_id'],
};

/** Rules come inside their group, and go with it, and with the group that they name as remote. */
const RELATIONS = [
  {
    parent: 'SecurityGroup',
    child: 'SecurityGroupRule',
    contains: 'rules',
    deletes: ['security_group_id', 'remote_group_id'],
  },
  { parent: 'AddressGroup', child: 'SecurityGroupRule', deletes: ['remote_address_group_id'] },
] as const;

/** The cache of the server's objects, as plugins see it: it keeps what somebody asked about and lets all other pushes pass. */
export class FollowedObjects implements ObjectCache {
  private readonly cache: ResourceCache<Objects>;
  private readonly listeners = new Set<(change: ObjectChange) => void>();
  private cause = '';

  constructor(
    chunkSize: number,
    pull: (type: string, query: ResourceQuery) => Promise<PulledResources<Readonly<Record<string, unknown>>>>,
    onUnreadable: (unreadable: readonly UnreadableResource[]) => void,
  ) {
    this.cache = new ResourceCache<Objects>({
      chunkSize,
      indices: INDICES,
      relations: RELATIONS,
      onUnreadable,
      pull: (type, query) => pull(type, query) as Promise<never>,
    });
    this.cache.onChange(({ type, id, old, new: current, cause, wasMissed }) => {
      // An object that somebody just asked for is an answer, not news, unless somebody else was told that there is none.
      if (cause === 'load' && old === undefined && !wasMissed) return;
      this.tell({
        type: String(type),
        id,
        cause: cause === 'load' ? 'pull' : this.cause,
        ...(old === undefined ? {} : { previous: old as unknown as CachedObject }),
        ...(current === undefined ? {} : { current: current as unknown as CachedObject }),
      });
    });
  }

  /** A push from the server. What nobody asked about is not kept: a cloud has more ports than this host. */
  pushed(
    type: string,
    event: 'created' | 'updated' | 'deleted',
    objects: readonly Readonly<Record<string, unknown>>[],
    cause: string,
  ): void {
    this.cause = cause;
    for (const object of objects as readonly unknown[] as readonly CachedResource[]) {
      if (event === 'deleted') this.cache.recordDeleted(type, object.id);
      else if (this.cache.isFollowed(type, object)) this.cache.recordUpdated(type, object);
    }
  }

  async load(type: string, ids: readonly string[]): Promise<readonly CachedObject[]> {
    return [...(await this.cache.load(type, ids)).values()] as unknown as readonly CachedObject[];
  }

  async find(type: string, field: string, value: string): Promise<readonly CachedObject[]> {
    return (await this.cache.loadBy(type, field, [value])) as unknown as readonly CachedObject[];
  }

  forget(type: string, id: string): void {
    this.cache.forget(type, id);
  }

  forgetFound(type: string, field: string, value: string): void {
    this.cache.forgetBy(type, field, value);
  }

  subscribe(listener: (change: ObjectChange) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async resynchronise(cause: string): Promise<void> {
    this.cause = cause;
    await this.cache.resynchronise();
  }

  private tell(change: ObjectChange): void {
    for (const listener of this.listeners) listener(change);
  }
}
