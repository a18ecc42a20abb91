import { type AgentHooks, HOOKS, type HookName, type Plugin, type PluginClass, plugin } from '@patchbay/sdk';

/** How a neighbour behaves in every hook. */
export type Misbehaviour = 'throws' | 'never-answers' | 'answers-nonsense' | { readonly answersAfterMs: number };

type Tapper = (tap: () => unknown) => void;

/** A plugin that misbehaves in every hook: to see that others do not suffer from it. */
export function misbehavingPlugin(misbehaviour: Misbehaviour, id = 'neighbour'): PluginClass {
  const answer = (): unknown => {
    if (misbehaviour === 'throws') throw new Error('the neighbour throws');
    if (misbehaviour === 'never-answers') return new Promise(() => undefined);
    if (misbehaviour === 'answers-nonsense') return { nonsense: Number.NaN };
    return new Promise((resolve) => setTimeout(resolve, misbehaviour.answersAfterMs).unref());
  };
  class Neighbour implements Plugin {
    tap(hooks: AgentHooks): void {
      const named = hooks as unknown as Readonly<Record<HookName, Tapper>>;
      for (const hook of Object.keys(HOOKS) as readonly HookName[]) named[hook](answer);
    }
  }
  plugin({ id, summary: 'Misbehaves in every hook', sdk: '^1.0.0', onFailure: 'degrade' })(Neighbour);
  return Neighbour;
}
