import { type CachedObject, type ObjectCache, type ObjectChange, reasonOf, type Unsubscribe } from '@patchbay/sdk';
import { FollowedTypes, OWN_FIELDS } from './followed-types';
import {
  type CachedResource,
  type PulledResources,
  ResourceCache,
  type ResourceQuery,
  type UnreadableResource,
} from './resource-cache';

type Objects = { readonly [type: string]: CachedResource };
type Fields = Readonly<Record<string, unknown>>;
type Listener = (change: ObjectChange) => unknown;

export interface ObjectPush {
  readonly event: 'created' | 'updated' | 'deleted';
  readonly objects: readonly Fields[];
  readonly cause: string;
}

/** Pushes of one type that are listened to. */
export interface Watch {
  /** Settles when no push is missed any more, or there is no broker that could bring one. */
  readonly bound: Promise<void>;
  readonly end: Unsubscribe;
}

export interface FollowedObjectsParts {
  /** The types that the agent itself follows, from the beginning to the end, each in its version. */
  readonly own: Readonly<Record<string, string>>;
  /** Versions that the operator chose: they count, whatever a follower asks for. */
  readonly chosen?: Readonly<Record<string, string>>;
  /** At most so many values in one question. */
  readonly chunkSize: number;
  readonly pull: (type: string, version: string, query: ResourceQuery) => Promise<PulledResources<Fields>>;
  readonly watch: (type: string, version: string, listener: (push: ObjectPush) => void) => Watch;
  readonly onUnreadable: (unreadable: readonly UnreadableResource[]) => void;
  /** A listener threw, or what it promised came to nothing: of that type, for that reason. */
  readonly onListenerFailed: (type: string, reason: string) => void;
}

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

/** Types whose id the server makes up of other fields: it refuses a question for it. */
const NOT_ASKED_BY_ID: ReadonlySet<string> = new Set(['LocalIPAssociation']);

/** The cache of the server's objects, as plugins see it: it keeps what somebody asked about and lets all other pushes pass. */
export class FollowedObjects implements ObjectCache {
  private readonly cache: ResourceCache<Objects>;
  private readonly types: FollowedTypes;
  private readonly watches = new Map<string, Watch>();
  private readonly listeners = new Set<Listener>();
  /** Those who follow one type, by it. */
  private readonly followers = new Map<string, Set<Listener>>();
  private opened = false;
  private cause = '';

  constructor(private readonly parts: FollowedObjectsParts) {
    const { own, chosen = {}, chunkSize, onUnreadable } = parts;
    this.cache = new ResourceCache<Objects>({
      chunkSize,
      indices: OWN_FIELDS,
      relations: RELATIONS,
      isAskedById: (type) => !NOT_ASKED_BY_ID.has(type),
      onUnreadable,
      pull: (type, query) => this.pull(type, query) as Promise<never>,
    });
    this.types = new FollowedTypes(own, chosen);
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

  /** Pushes can be listened to from now on. */
  open(): void {
    this.opened = true;
    for (const type of this.types.all()) this.watch(type);
  }

  follow(
    type: string,
    { version, by = [] }: { readonly version: string; readonly by?: readonly string[] },
    listener: (change: ObjectChange) => void,
  ): Unsubscribe {
    const unfollow = this.types.follow(type, version, by);
    for (const field of by) this.cache.index(type, field);
    this.watch(type);
    // One listener may be given twice; each time it is ended by itself.
    const own: Listener = (change) => listener(change);
    this.followers.set(type, (this.followers.get(type) ?? new Set()).add(own));
    return () => {
      if (this.followers.get(type)?.delete(own) !== true) return;
      const left = unfollow();
      if (left.type) for (const field of left.fields) this.cache.unindex(type, field);
      else this.letGo(type);
    };
  }

  async versions(): Promise<Readonly<Record<string, string>>> {
    return Object.fromEntries(this.types.all().map((type) => [type, this.types.versionOf(type)]));
  }

  async load(type: string, ids: readonly string[]): Promise<readonly CachedObject[]> {
    this.types.refuseUnfollowed(type);
    if (NOT_ASKED_BY_ID.has(type)) this.types.refuseUnfindable(type, 'id');
    return [...(await this.cache.load(type, ids)).values()] as unknown as readonly CachedObject[];
  }

  async find(type: string, field: string, value: string): Promise<readonly CachedObject[]> {
    this.types.refuseUnfindable(type, field);
    return (await this.cache.loadBy(type, field, [value])) as unknown as readonly CachedObject[];
  }

  forget(type: string, id: string): void {
    if (this.types.has(type)) this.cache.forget(type, id);
  }

  forgetFound(type: string, field: string, value: string): void {
    if (this.types.has(type)) this.cache.forgetBy(type, field, value);
  }

  subscribe(listener: (change: ObjectChange) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async resynchronise(cause: string, types: readonly string[] = this.types.all()): Promise<void> {
    this.cause = cause;
    await this.cache.resynchronise(types);
  }

  /** A push from the server. What nobody asked about is not kept: a cloud has more ports than this host. */
  pushed(type: string, { event, objects, cause }: ObjectPush): void {
    this.cause = cause;
    for (const object of this.withIds(type, objects)) {
      if (event === 'deleted') this.cache.recordDeleted(type, object.id);
      else if (this.cache.isFollowed(type, object)) this.cache.recordUpdated(type, object);
    }
  }

  tell(change: ObjectChange): void {
    for (const listener of [...this.listeners, ...(this.followers.get(change.type) ?? [])]) {
      void this.toldTo(listener, change);
    }
  }

  /** One listener's failure is not the others', nor the sender's. What a worker's listener throws comes later. */
  private async toldTo(listener: Listener, change: ObjectChange): Promise<void> {
    try {
      await listener(change);
    } catch (thrown) {
      this.parts.onListenerFailed(change.type, reasonOf(thrown));
    }
  }

  private watch(type: string): void {
    if (!this.opened || this.watches.has(type)) return;
    this.watches.set(
      type,
      this.parts.watch(type, this.types.versionOf(type), (push) => this.pushed(type, push)),
    );
  }

  private letGo(type: string): void {
    this.watches.get(type)?.end();
    this.watches.delete(type);
    this.followers.delete(type);
    this.cache.drop(type);
  }

  /** Asked before its pushes are listened to, an answer could be older than a push that nobody heard. */
  private async pull(type: string, query: ResourceQuery): Promise<PulledResources<Fields>> {
    await this.watches.get(type)?.bound.catch(() => undefined);
    const { objects, unreadable } = await this.parts.pull(type, this.types.versionOf(type), query);
    return { objects: this.withIds(type, objects) as readonly unknown[] as readonly Fields[], unreadable };
  }

  private withIds(type: string, objects: readonly Fields[]): readonly CachedResource[] {
    const [known, nameless] = [objects.filter(hasId), objects.filter((object) => !hasId(object))];
    if (nameless.length > 0) this.parts.onUnreadable(nameless.map(() => withoutId(type)));
    return known;
  }
}

function hasId(object: Fields): object is Fields & CachedResource {
  return typeof object.id === 'string';
}

function withoutId(type: string): UnreadableResource {
  const error = new Error(`${type}.id: what has no id of its own cannot be kept`);
  return { id: undefined, error: Object.assign(error, { code: 'missing-field', field: `${type}.id` }) };
}
