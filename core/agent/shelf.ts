import { valuesOf } from './resource-comparison';

/** What is cached must have an id; the rest is known by its field's own names. */
export interface CachedResource {
  readonly id: string;
  readonly revision_number?: number | null;
}

/** The cached objects of one type, with what is known of what was asked. */
export class Shelf {
  readonly objects = new Map<string, CachedResource>();
  /** field → value → ids. */
  readonly indices = new Map<string, Map<string, Set<string>>>();
  /** field → values the server was asked about. They are not asked about again: pushes keep the answer true. */
  readonly asked = new Map<string, Set<string>>();
  /** id → the moment its deletion was learned, oldest first. */
  readonly deleted = new Map<string, number>();
  /** Objects that were forgotten and stay for the sake of other questions: asked for again before anybody is told of them by id. */
  readonly doubtful = new Set<string>();
  /** id → why what the server last answered for it could not be read. */
  readonly unreadable = new Map<string, Error>();

  constructor(indexedFields: readonly string[]) {
    for (const field of indexedFields) this.index(field);
  }

  /** From now on objects are found by the field. */
  index(field: string): void {
    if (this.indices.has(field)) return;
    const index = new Map<string, Set<string>>();
    this.indices.set(field, index);
    for (const object of this.objects.values()) fileIn(index, object, field);
  }

  noteAsked(field: string, value: string): void {
    const known = this.asked.get(field);
    if (known) known.add(value);
    else this.asked.set(field, new Set([value]));
  }

  isPartOfAnswer(object: CachedResource): boolean {
    return [...this.asked].some(
      ([field, known]) => field !== 'id' && valuesOf(object, field).some((value) => known.has(value)),
    );
  }

  file(object: CachedResource): void {
    this.objects.set(object.id, object);
    for (const [field, index] of this.indices) fileIn(index, object, field);
  }

  unfile(object: CachedResource): void {
    this.objects.delete(object.id);
    this.doubtful.delete(object.id);
    for (const [field, index] of this.indices) {
      for (const value of valuesOf(object, field)) {
        const ids = index.get(value);
        ids?.delete(object.id);
        if (ids?.size === 0) index.delete(value);
      }
    }
  }
}

function fileIn(index: Map<string, Set<string>>, object: CachedResource, field: string): void {
  for (const value of valuesOf(object, field)) {
    const ids = index.get(value);
    if (ids) ids.add(object.id);
    else index.set(value, new Set([object.id]));
  }
}
