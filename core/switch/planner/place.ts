import { type Decision, decide, outputsNothing } from './decide';
import type { Installed } from './installed';
import type { Canonical, Item } from './items';
import type { Owner } from './owner';

const NOBODY: readonly Owner[] = [];

/** All that is known of one identity on one bridge. There are as many as there are flows: each is one object, and most of what it could hold is left out. */
export class Place {
  /** What is on the switch. */
  found: Installed | undefined = undefined;
  /** What was touched since it was decided last. */
  isStale = false;
  /** What is to be compared by the next plan. */
  isDue = false;
  /** Changed by somebody else since the last plan. */
  isEdited = false;
  /** Once wanted in this run, and no longer: goes whatever its plugin has completed. */
  isWithdrawn = false;
  private first: Item | undefined = undefined;
  /** All that is wanted here where it is several; `first` is none of them then. */
  private several: Item[] | undefined = undefined;
  /** Between several. */
  private decided: Decision | undefined = undefined;

  constructor(readonly identity: string) {}

  get isWanted(): boolean {
    return this.first !== undefined || this.several !== undefined;
  }

  /** Nothing is wanted or found here, and nothing is to be done. */
  get isVacant(): boolean {
    return !this.isWanted && this.found === undefined && !this.isStale && !this.isDue && !this.isWithdrawn;
  }

  want(item: Item): void {
    if (this.several !== undefined) this.several.push(item);
    else if (this.first === undefined) this.first = item;
    else {
      this.several = [this.first, item];
      this.first = undefined;
    }
  }

  /** Answers whether that was wanted. */
  unwant(item: Item): boolean {
    if (this.first !== undefined) {
      if (this.first !== item) return false;
      this.first = undefined;
      return true;
    }
    const at = this.several?.indexOf(item) ?? -1;
    if (this.several === undefined || at < 0) return false;
    this.several.splice(at, 1);
    if (this.several.length > 1) return true;
    [this.first] = this.several;
    this.several = undefined;
    return true;
  }

  /** Decides between those who want something here. */
  decide(canonical: Canonical): void {
    this.decided = this.several === undefined ? undefined : decide(this.several, canonical);
  }

  /** Owners who want something else than what was decided. */
  get losers(): readonly Owner[] {
    return this.decided?.losers ?? NOBODY;
  }

  /** What is to be here; nothing also where a union has no port yet. */
  get item(): Item | undefined {
    if (this.decided !== undefined) return this.decided.item;
    return this.first === undefined || outputsNothing(this.first) ? undefined : this.first;
  }

  /** Whose cookie it carries: the first of those who agree. */
  get owner(): Owner | undefined {
    return this.decided?.owner ?? this.first?.owner;
  }

  get owners(): readonly Owner[] {
    return this.decided?.owners ?? (this.first === undefined ? NOBODY : [this.first.owner]);
  }
}
