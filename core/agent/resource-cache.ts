import { chunks, isOlder, sameBut, valuesOf } from './resource-comparison';
import { type CachedResource, Shelf } from './shelf';

export type { CachedResource };

type TypeMap = { readonly [type: string]: CachedResource };

export interface ResourceChange<Types extends TypeMap, Type extends keyof Types = keyof Types> {
  readonly type: Type;
  readonly id: string;
  readonly kind: 'created' | 'updated' | 'deleted';
  readonly old: Types[Type] | undefined;
  readonly new: Types[Type] | undefined;
  readonly cause: 'push' | 'load' | 'resynchronisation';
  /** Somebody had asked for it by its id before, and was told that there is none. */
  readonly wasMissed: boolean;
}

/** Field to wanted values, OR-ed. */
export type ResourceQuery = Readonly<Record<string, readonly string[]>>;

/** What the server sent and nobody can read. */
export interface UnreadableResource {
  readonly id: string | undefined;
  readonly error: Error & { readonly code: string; readonly field: string };
}

/** The server's answer, and what in it could not be read. */
export interface PulledResources<Resource> {
  readonly objects: readonly Resource[];
  readonly unreadable: readonly UnreadableResource[];
}

export interface ResourceCacheOptions<Types extends TypeMap> {
  /** Asks the server for all objects of a type whose one field has one of the values. */
  readonly pull: <Type extends keyof Types & string>(
    type: Type,
    query: ResourceQuery,
  ) => Promise<PulledResources<Types[Type]>>;
  /** Told of what could not be read and was not asked for by its id: whoever asks by id is told by a rejection. */
  readonly onUnreadable?: (unreadable: readonly UnreadableResource[]) => void;
  /** Values in one request; rpc_resources_processing_step, 20 unless given. */
  readonly chunkSize?: number;
  /** Fields to look objects up by; a field that holds a list is indexed by each of its values. */
  readonly indices?: { readonly [Type in keyof Types]?: readonly string[] };
  /** Children that come inside a parent, and what goes when a parent is deleted. */
  readonly relations?: readonly ResourceRelation[];
  /** Whether the server answers questions for a type by its ids; unless given, it does. */
  readonly isAskedById?: (type: string) => boolean;
  /** How many deleted ids of a type are remembered. */
  readonly rememberedDeletions?: number;
}

/** Rules come inside their security group (`contains`), and rules that name a deleted group go with it (`deletes`, by these indexed fields). */
export interface ResourceRelation {
  readonly parent: string;
  readonly child: string;
  readonly contains?: string;
  readonly deletes: readonly string[];
}

/** Differences in these are no change to what a port needs; Neutron's own agent ignores the same two. */
const BOOKKEEPING: ReadonlySet<string> = new Set(['revision_number', 'updated_at']);
const DEFAULT_CHUNK = 20;
const DEFAULT_REMEMBERED_DELETIONS = 10_000;

interface Batch {
  readonly values: Set<string>;
  readonly done: Promise<void>;
}

/**
 * The agent's copy of Neutron's objects: filled by asking, kept true by pushes, safe against messages that arrive late or out of
 * order. An older revision never replaces a newer one; what was deleted does not come back, unless the server, asked after
 * the deletion was learned, says that it exists.
 */
export class ResourceCache<Types extends TypeMap> {
  private readonly shelves = new Map<string, Shelf>();
  private readonly batches = new Map<string, Batch>();
  private readonly underWay = new Map<string, Promise<void>>();
  private readonly listeners = new Set<(change: ResourceChange<Types>) => void>();
  private moment = 0;

  constructor(private readonly options: ResourceCacheOptions<Types>) {}

  /** Calls back for every change, in order; returns how to stop. A listener must not throw. */
  onChange(listener: (change: ResourceChange<Types>) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get<Type extends keyof Types & string>(type: Type, id: string): Types[Type] | undefined {
    return this.shelf(type).objects.get(id) as Types[Type] | undefined;
  }

  all<Type extends keyof Types & string>(type: Type): readonly Types[Type][] {
    return [...this.shelf(type).objects.values()] as Types[Type][];
  }

  /** Cached objects whose indexed field is, or contains, the value. Throws RangeError for a field that has no index. */
  findBy<Type extends keyof Types & string>(type: Type, field: string, value: string): readonly Types[Type][] {
    const { indices, objects } = this.shelf(type);
    const index = indices.get(field);
    if (!index) throw new RangeError(`${type} has no index on ${field}: name it in the cache's indices`);
    return [...(index.get(value) ?? [])].map((id) => objects.get(id)) as unknown as Types[Type][];
  }

  /** From now on objects of the type are looked up by the field. */
  index(type: string, field: string): void {
    this.shelf(type).index(field);
  }

  /** Objects of the type are not looked up by the field any more; what was asked for by it alone is let go, without an event. */
  unindex(type: string, field: string): void {
    const shelf = this.shelf(type);
    for (const value of [...(shelf.asked.get(field) ?? [])]) this.forgetBy(type, field, value);
    if (this.options.indices?.[type as keyof Types]?.includes(field) !== true) shelf.indices.delete(field);
  }

  /** Lets everything of a type go, without an event. Who is waiting for an answer about it is told that there will be none. */
  drop(type: string): void {
    this.shelves.delete(type);
    for (const waiting of [this.batches, this.underWay]) {
      for (const key of [...waiting.keys()]) if (key.startsWith(`${type} `)) waiting.delete(key);
    }
  }

  /**
   * Whether somebody asked about this object, or is asking now: by its id, or by a field that it answers to. A push that overtakes
   * the answer to a question counts, or the answer would be older than what was pushed.
   */
  isFollowed<Type extends keyof Types & string>(type: Type, object: CachedResource): boolean {
    const { objects, asked, indices } = this.shelf(type);
    if (objects.has(object.id)) return true;
    return ['id', ...indices.keys()].some((field) =>
      valuesOf(object, field).some(
        (value) => asked.get(field)?.has(value) || this.underWay.has(`${type} ${field} ${value}`),
      ),
    );
  }

  /** A push: the object was created or updated. False if it was ignored as old, deleted or the same. */
  recordUpdated<Type extends keyof Types & string>(type: Type, object: Types[Type]): boolean {
    return this.store(type, object, 'push', undefined);
  }

  /** A push: the object was deleted. False if it was not cached. */
  recordDeleted<Type extends keyof Types & string>(type: Type, id: string): boolean {
    return this.remove(type, id, 'push');
  }

  /** The objects of these ids: those cached at once, the others from the server. Ids that do not exist are absent, and are not asked for again. */
  async load<Type extends keyof Types & string>(
    type: Type,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Types[Type]>> {
    await this.ask(
      type,
      'id',
      ids.filter((id) => !this.shelf(type).objects.has(id) || this.shelf(type).doubtful.has(id)),
    );
    const found = new Map<string, Types[Type]>();
    for (const id of ids) {
      const object = this.get(type, id);
      if (object === undefined) continue;
      found.set(id, object);
      this.shelf(type).noteAsked('id', id);
    }
    return found;
  }

  /** All objects whose field is, or contains, one of the values. The server is asked once for each value. The field must be indexed. */
  async loadBy<Type extends keyof Types & string>(
    type: Type,
    field: string,
    values: readonly string[],
  ): Promise<readonly Types[Type][]> {
    await this.ask(type, field, values);
    const found = new Map<string, Types[Type]>();
    for (const value of values) for (const object of this.findBy(type, field, value)) found.set(object.id, object);
    return [...found.values()];
  }

  /**
   * Drops, without an event, that an object was asked for by its id: the next load asks the server. For a port that was unplugged. What
   * is part of another answer (a member of a group) stays in it, so that its deletion is told.
   */
  forget<Type extends keyof Types & string>(type: Type, id: string): void {
    const shelf = this.shelf(type);
    const object = shelf.objects.get(id);
    if (object && shelf.isPartOfAnswer(object)) shelf.doubtful.add(id);
    else if (object) shelf.unfile(object);
    shelf.asked.get('id')?.delete(id);
    shelf.deleted.delete(id);
    shelf.unreadable.delete(id);
  }

  /**
   * Drops, without an event, that objects were asked for by this field's value: the next loadBy asks the server. For a group that no
   * port uses any more. What was asked for by its id, or is part of another answer, stays.
   */
  forgetBy<Type extends keyof Types & string>(type: Type, field: string, value: string): void {
    const shelf = this.shelf(type);
    if (shelf.asked.get(field)?.delete(value) !== true) return;
    for (const object of this.findBy(type, field, value)) {
      if (shelf.asked.get('id')?.has(object.id) !== true && !shelf.isPartOfAnswer(object)) shelf.unfile(object);
    }
  }

  /**
   * Asks the server again for everything, or everything of these types, that is cached or was ever asked for, and emits the differences:
   * for after an outage in which pushes were lost. Rejects, with the cache left as it was for the failed part, if the server cannot be
   * asked.
   */
  async resynchronise(types: readonly string[] = [...this.shelves.keys()]): Promise<void> {
    const since = ++this.moment;
    const shelves = [...this.shelves].filter(([type]) => types.includes(type));
    const outcomes = await Promise.allSettled(
      shelves.map(([type, shelf]) => this.resynchroniseType(type, shelf, since)),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Sizes, for a status page. */
  stats(): { readonly [type: string]: { readonly cached: number; readonly deletedRemembered: number } } {
    const sizes = [...this.shelves].map(
      ([type, { objects, deleted }]) => [type, { cached: objects.size, deletedRemembered: deleted.size }] as const,
    );
    return Object.fromEntries(sizes);
  }

  private async resynchroniseType(type: string, shelf: Shelf, since: number): Promise<void> {
    const before = new Map(shelf.objects);
    const queries = [...shelf.asked]
      .filter(([field]) => field !== 'id')
      .map(([field, values]) => [field, [...values]] as const);
    const answered = new Set<string>();
    const ids = this.isAskedById(type) ? new Set([...before.keys(), ...(shelf.asked.get('id') ?? [])]) : [];
    for (const [field, values] of [...queries, ['id', [...ids]] as const]) {
      const left = field === 'id' ? values.filter((id) => !answered.has(id)) : values;
      for (const chunk of chunks(left, this.chunkSize)) {
        const { objects, unreadable } = await this.pull(type, field, chunk);
        if (this.shelves.get(type) !== shelf) return;
        this.options.onUnreadable?.(unreadable);
        for (const { id } of unreadable) if (id !== undefined) answered.add(id);
        for (const object of objects) {
          answered.add(object.id);
          this.store(type, object, 'resynchronisation', since);
        }
      }
    }
    for (const [id, object] of before) {
      if (!answered.has(id) && shelf.objects.get(id) === object) this.remove(type, id, 'resynchronisation');
    }
  }

  private async ask(type: string, field: string, values: readonly string[]): Promise<void> {
    const { asked } = this.shelf(type);
    const missing = values.filter((value) => !asked.get(field)?.has(value));
    const answers = new Set<Promise<void>>();
    for (const value of missing)
      answers.add(this.underWay.get(`${type} ${field} ${value}`) ?? this.enlist(type, field, value));
    await Promise.all(answers);
  }

  private enlist(type: string, field: string, value: string): Promise<void> {
    const key = `${type} ${field}`;
    const batch = this.batches.get(key) ?? this.newBatch(type, field, key);
    batch.values.add(value);
    const answer = field === 'id' ? batch.done.then(() => this.assertReadable(type, value)) : batch.done;
    this.underWay.set(`${key} ${value}`, answer);
    return answer;
  }

  /** An object that exists and cannot be read is not the same as one that does not exist. */
  private assertReadable(type: string, id: string): void {
    const error = this.shelf(type).unreadable.get(id);
    if (error !== undefined) throw error;
  }

  /** Everything asked for within one tick goes out together. */
  private newBatch(type: string, field: string, key: string): Batch {
    const values = new Set<string>();
    const send = async () => {
      await undefined;
      await new Promise((resolve) => setImmediate(resolve));
      this.batches.delete(key);
      const outcomes = await Promise.allSettled(
        chunks([...values], this.chunkSize).map((chunk) => this.fetch(type, field, chunk)),
      );
      for (const value of values) this.underWay.delete(`${key} ${value}`);
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
    };
    const batch = { values, done: send() };
    this.batches.set(key, batch);
    return batch;
  }

  private async fetch(type: string, field: string, values: readonly string[]): Promise<void> {
    const since = ++this.moment;
    const shelf = this.shelf(type);
    const { objects, unreadable } = await this.pull(type, field, values);
    if (this.shelves.get(type) !== shelf) throw new Error(`${type} was let go while the server was asked`);
    for (const object of objects) this.store(type, object, 'load', since);
    if (field !== 'id') {
      this.options.onUnreadable?.(unreadable);
      for (const value of values) shelf.noteAsked(field, value);
      return;
    }
    for (const id of values) shelf.unreadable.delete(id);
    for (const { id, error } of unreadable) if (id !== undefined) shelf.unreadable.set(id, error);
    const found = new Set(objects.map(({ id }) => id));
    for (const id of values) {
      if (shelf.unreadable.has(id)) continue;
      shelf.noteAsked('id', id);
      if (shelf.doubtful.delete(id) && !found.has(id)) this.remove(type, id, 'load');
    }
  }

  private pull(type: string, field: string, values: readonly string[]): Promise<PulledResources<CachedResource>> {
    return this.options.pull(type as keyof Types & string, { [field]: values });
  }

  /** `askedAt` is the moment the server was asked; undefined for a push, whose age is not known. */
  private store(
    type: string,
    object: CachedResource,
    cause: ResourceChange<Types>['cause'],
    askedAt: number | undefined,
  ): boolean {
    const shelf = this.shelf(type);
    const deletedAt = shelf.deleted.get(object.id);
    if (deletedAt !== undefined) {
      if (askedAt === undefined || askedAt <= deletedAt) return false;
      shelf.deleted.delete(object.id);
    }
    const old = shelf.objects.get(object.id);
    if (old && isOlder(object, old)) return false;
    if (old) shelf.unfile(old);
    shelf.file(object);
    const changed = !old || !sameBut(BOOKKEEPING, old, object);
    if (changed) this.emit(type, old ? 'updated' : 'created', old, object, cause);
    for (const { parent, child, contains } of this.options.relations ?? []) {
      if (parent !== type || contains === undefined) continue;
      const children = (object as unknown as Record<string, unknown>)[contains];
      if (Array.isArray(children))
        for (const each of children) this.store(child, each as CachedResource, cause, askedAt);
    }
    return changed;
  }

  private remove(type: string, id: string, cause: ResourceChange<Types>['cause']): boolean {
    const shelf = this.shelf(type);
    const old = shelf.objects.get(id);
    this.rememberDeletion(shelf, id);
    if (old) {
      shelf.unfile(old);
      this.emit(type, 'deleted', old, undefined, cause);
    }
    for (const { parent, child, deletes } of this.options.relations ?? []) {
      if (parent !== type) continue;
      for (const field of deletes) {
        for (const each of this.findBy(child, field, id)) this.remove(child, each.id, cause);
        this.shelf(child).asked.get(field)?.delete(id);
      }
    }
    return old !== undefined;
  }

  private rememberDeletion(shelf: Shelf, id: string): void {
    shelf.asked.get('id')?.delete(id);
    shelf.deleted.delete(id);
    shelf.deleted.set(id, ++this.moment);
    if (shelf.deleted.size > (this.options.rememberedDeletions ?? DEFAULT_REMEMBERED_DELETIONS)) {
      const [oldest] = shelf.deleted.keys();
      if (oldest !== undefined) shelf.deleted.delete(oldest);
    }
  }

  private emit(
    type: string,
    kind: 'created' | 'updated' | 'deleted',
    old: CachedResource | undefined,
    now: CachedResource | undefined,
    cause: ResourceChange<Types>['cause'],
  ): void {
    const id = (now ?? old)?.id ?? '';
    const wasMissed = old === undefined && this.shelf(type).asked.get('id')?.has(id) === true;
    const change = { type, id, kind, old, new: now, cause, wasMissed } as unknown as ResourceChange<Types>;
    for (const listener of this.listeners) listener(change);
  }

  private shelf(type: string): Shelf {
    const present = this.shelves.get(type);
    if (present) return present;
    const fields = this.options.indices?.[type as keyof Types] ?? [];
    const shelf = new Shelf(fields);
    this.shelves.set(type, shelf);
    return shelf;
  }

  private isAskedById(type: string): boolean {
    return this.options.isAskedById?.(type) ?? true;
  }

  private get chunkSize(): number {
    return this.options.chunkSize ?? DEFAULT_CHUNK;
  }
}
