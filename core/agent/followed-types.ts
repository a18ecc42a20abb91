import { ObjectError } from './errors';

/** What the agent looks its own objects up by. */
export const OWN_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Port: ['security_group_ids', 'network_id'],
  SecurityGroupRule: ['security_group_id', 'remote_group_id', 'remote_address_group_id'],
  Subnet: ['network_id'],
};

interface Following {
  readonly version: string;
  readonly fields: ReadonlySet<string>;
}

/** What remains of a type when one of those who followed it is gone. */
export interface Remainder {
  /** Somebody follows it still. */
  readonly type: boolean;
  /** The fields that nobody looks it up by any more. */
  readonly fields: readonly string[];
}

const VERSION = /^\d+\.\d+$/;

/** Who follows which types, in which version, by which fields; it refuses what does not go together. */
export class FollowedTypes {
  private readonly byType = new Map<string, Set<Following>>();

  constructor(
    own: Readonly<Record<string, string>>,
    private readonly chosen: Readonly<Record<string, string>>,
  ) {
    for (const [type, version] of Object.entries(own)) this.follow(type, version, OWN_FIELDS[type] ?? []);
  }

  /** @throws PatchbayError PB-OBJECT-VERSION for a version that is none, or another than somebody follows already. */
  follow(type: string, version: string, by: readonly string[]): () => Remainder {
    if (!VERSION.test(version))
      throw ObjectError.version({ type, version, problem: 'a version is two numbers, as 1.4' });
    const present = this.byType.get(type);
    const followed = present === undefined ? version : this.versionOf(type);
    if (!Object.hasOwn(this.chosen, type) && followed !== version) {
      const problem = `it is followed in ${followed} already; ask for that, or have the operator choose one for all (resource_versions)`;
      throw ObjectError.version({ type, version, problem });
    }
    const following = { version, fields: new Set(by) };
    this.byType.set(type, (present ?? new Set()).add(following));
    return () => this.unfollow(type, following);
  }

  has(type: string): boolean {
    return this.byType.has(type);
  }

  all(): readonly string[] {
    return [...this.byType.keys()];
  }

  /** @throws PatchbayError PB-OBJECT-NOT-FOLLOWED */
  versionOf(type: string): string {
    const [first] = this.followingsOf(type);
    return (Object.hasOwn(this.chosen, type) ? this.chosen[type] : first?.version) ?? '';
  }

  /** What objects of the type are found by, besides their ids. @throws PatchbayError PB-OBJECT-NOT-FOLLOWED */
  fieldsOf(type: string): ReadonlySet<string> {
    return new Set(this.followingsOf(type).flatMap(({ fields }) => [...fields]));
  }

  /** @throws PatchbayError PB-OBJECT-NOT-FOLLOWED */
  refuseUnfollowed(type: string): void {
    this.followingsOf(type);
  }

  /** @throws PatchbayError PB-OBJECT-NOT-FOLLOWED, PB-OBJECT-NOT-INDEXED */
  refuseUnfindable(type: string, field: string): void {
    const fields = this.fieldsOf(type);
    if (fields.has(field)) return;
    throw ObjectError.notIndexed({
      type,
      field,
      known: fields.size === 0 ? 'fields that a follower names' : [...fields],
    });
  }

  private followingsOf(type: string): readonly Following[] {
    const followings = this.byType.get(type);
    if (followings === undefined) throw ObjectError.notFollowed({ type });
    return [...followings];
  }

  private unfollow(type: string, following: Following): Remainder {
    const followings = this.byType.get(type);
    followings?.delete(following);
    if (followings === undefined || followings.size === 0) {
      this.byType.delete(type);
      return { type: false, fields: [] };
    }
    const left = this.fieldsOf(type);
    return { type: true, fields: [...following.fields].filter((field) => !left.has(field)) };
  }
}
