import { conjunctionOf } from './conjunctions';
import { joinOutlines, outlinesOf, type RuleOutline } from './rule-flows';
import type { Rule } from './rules';

interface Page {
  /** The conjunction's ids when the outlines were made. */
  readonly ids: string;
  readonly outlines: readonly RuleOutline[];
}

/**
 * The outlines of rules. A rule that stays comes to the same objects every time, so that who has made flows of them need not make
 * them again: a rule more costs one rule, whatever the number of those that are there.
 */
export class RuleBook {
  private readonly pages = new WeakMap<Rule, Page>();
  private readonly joined = new WeakMap<RuleOutline, WeakMap<RuleOutline, RuleOutline>>();

  /** `blockOf` answers a conjunction's block of ids by its name. */
  constructor(private readonly blockOf: (name: string) => number) {}

  /** Each place once. */
  outlines(rules: readonly Rule[]): readonly RuleOutline[] {
    const outlines = new Map<string, RuleOutline>();
    for (const rule of rules) {
      for (const outline of this.page(rule).outlines) {
        const present = outlines.get(outline.place);
        outlines.set(outline.place, present === undefined ? outline : this.join(present, outline));
      }
    }
    return [...outlines.values()];
  }

  private page(rule: Rule): Page {
    const use = conjunctionOf(rule, this.blockOf);
    const ids = use?.ids.map(({ id }) => id).join() ?? '';
    const known = this.pages.get(rule);
    if (known?.ids === ids) return known;
    const page = { ids, outlines: outlinesOf(rule, use) };
    this.pages.set(rule, page);
    return page;
  }

  private join(present: RuleOutline, added: RuleOutline): RuleOutline {
    const known = this.joined.get(present)?.get(added);
    if (known !== undefined) return known;
    const joined = joinOutlines(present, added);
    this.joined.set(present, (this.joined.get(present) ?? new WeakMap()).set(added, joined));
    return joined;
  }
}
