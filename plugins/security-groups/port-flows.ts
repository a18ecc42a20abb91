import type { BoundPort, Flow } from '@patchbay/sdk';
import { type BaseSettings, filteredPortFlows, trustedPortFlows } from './base-flows';
import { directFlows } from './direct-flows';
import { type GuardedPort, guardedPort, type Tracking } from './guarded-port';
import { RuleFlows, type RuleOutline } from './rule-flows';

/** What a port's flows without its rules hang on, besides the port. `tracking` is undefined for a port that is not filtered. */
export interface PortCircumstances {
  readonly tracking: Tracking | undefined;
  readonly uplink: string | undefined;
}

/** The flows of one bound port. Those that stay are the same objects from one statement to the next, and cost nothing on their way. */
export class PortFlows {
  private readonly guarded: GuardedPort;
  private readonly ruleFlows: RuleFlows;
  private base: (PortCircumstances & { readonly flows: readonly Flow[] }) | undefined;
  private ofRules: ReadonlyMap<RuleOutline, Flow> = new Map();

  constructor(
    readonly bound: BoundPort,
    private readonly settings: BaseSettings,
  ) {
    this.guarded = guardedPort(bound);
    this.ruleFlows = new RuleFlows(this.guarded);
  }

  list(circumstances: PortCircumstances, rules: readonly RuleOutline[]): readonly Flow[] {
    const ofRules = new Map(
      rules.map((outline) => [outline, this.ofRules.get(outline) ?? this.ruleFlows.flow(outline)]),
    );
    this.ofRules = ofRules;
    return [...this.withoutRules(circumstances), ...ofRules.values()];
  }

  private withoutRules({ tracking, uplink }: PortCircumstances): readonly Flow[] {
    if (this.base !== undefined && this.base.tracking === tracking && this.base.uplink === uplink)
      return this.base.flows;
    const { guarded } = this;
    const flows = [
      ...(tracking === undefined ? trustedPortFlows(guarded) : filteredPortFlows(guarded, tracking, this.settings)),
      ...(this.settings.explicitly_egress_direct ? directFlows(guarded, uplink) : []),
    ];
    this.base = { tracking, uplink, flows };
    return flows;
  }
}
