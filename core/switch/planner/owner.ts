/** One key of one plugin: who wants something on the switch. */
export interface Owner {
  readonly plugin: string;
  readonly key: string;
  /** The plugin's place in the order in which plugins were loaded; decides who wins where two want different things. */
  readonly rank: number;
}

/** A text that is the owner's alone. */
export function ownerId(plugin: string, key: string): string {
  return `${plugin} ${key}`;
}

/** Winners first: by the plugins' order, then by plugin id, then by key. */
export function compareOwners(left: Owner, right: Owner): number {
  if (left.rank !== right.rank) return left.rank - right.rank;
  return compareText(left.plugin, right.plugin) || compareText(left.key, right.key);
}

export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** For people: `bridge-mappings segment/…`. */
export function nameOf(owner: Owner): string {
  return `${owner.plugin} ${owner.key}`;
}
