import { KernelError } from './errors';

/** `first` comes before `next`. */
export interface Precedence {
  readonly first: string;
  readonly next: string;
}

/** Either all names in order, or names that each come before the next, the last one being the first. */
export type Ordering = { readonly ordered: readonly string[] } | { readonly loop: readonly string[] };

/** As {@link ordering}; a loop is refused with its path. */
export function inOrder(
  names: readonly string[],
  precedences: readonly Precedence[],
  rank: (left: string, right: string) => number,
  what: string,
): readonly string[] {
  const found = ordering(names, precedences, rank);
  if ('loop' in found) throw KernelError.orderLoop({ what, loop: found.loop.join(' → ') });
  return found.ordered;
}

/**
 * Orders names so that every precedence holds; where several could come next, the one that `rank` puts lowest does.
 * Precedences that name something else are no constraint.
 */
export function ordering(
  names: readonly string[],
  precedences: readonly Precedence[],
  rank: (left: string, right: string) => number,
): Ordering {
  const present = new Set(names);
  const followers = new Map<string, Set<string>>(names.map((name) => [name, new Set<string>()]));
  const waiting = new Map<string, number>(names.map((name) => [name, 0]));
  for (const { first, next } of precedences) {
    const after = followers.get(first);
    if (after === undefined || !present.has(next) || after.has(next)) continue;
    after.add(next);
    waiting.set(next, (waiting.get(next) ?? 0) + 1);
  }
  const ready = names.filter((name) => waiting.get(name) === 0).sort(rank);
  const ordered: string[] = [];
  for (let next = ready.shift(); next !== undefined; next = ready.shift()) {
    ordered.push(next);
    for (const follower of followers.get(next) ?? []) {
      const left = (waiting.get(follower) ?? 0) - 1;
      waiting.set(follower, left);
      if (left === 0) ready.push(follower);
    }
    ready.sort(rank);
  }
  if (ordered.length < present.size) {
    const stuck = names.filter((name) => (waiting.get(name) ?? 0) > 0).sort(rank);
    return { loop: loopAmong(stuck, followers) };
  }
  return { ordered };
}

function loopAmong(stuck: readonly string[], followers: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const among = new Set(stuck);
  const finished = new Set<string>();
  const search = (name: string, path: readonly string[]): readonly string[] | undefined => {
    const seenAt = path.indexOf(name);
    if (seenAt >= 0) return [...path.slice(seenAt), name];
    if (finished.has(name)) return undefined;
    for (const follower of followers.get(name) ?? []) {
      const loop = among.has(follower) ? search(follower, [...path, name]) : undefined;
      if (loop !== undefined) return loop;
    }
    finished.add(name);
    return undefined;
  };
  for (const name of stuck) {
    const loop = search(name, []);
    if (loop !== undefined) return loop;
  }
  return stuck;
}
