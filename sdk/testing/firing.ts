import { type AgentHooks, HOOKS, type HookCalls, type HookName, type KeyAcknowledgement } from '@patchbay/sdk';

type PayloadOf<H extends HookName> = Parameters<Parameters<AgentHooks[H]>[0]>[0];

/** What firing a hook came to. */
export interface Fired {
  /** The answer of a before or resolve hook, the merged report of `onReportState`; nothing for other facts. */
  readonly value: unknown;
  /** Taps that failed. */
  readonly failures: readonly { readonly plugin: string; readonly reason: string }[];
  /** Every key that was set or unset on the way, and how far it came. */
  readonly keys: readonly KeyAcknowledgement[];
}

export type Fire = { readonly [H in HookName]: (payload: PayloadOf<H>) => Promise<Fired> };

/** A function for each hook, which calls it by its name. */
export function fireBy(call: (hook: HookName, payload: unknown) => Promise<Fired>): Fire {
  const named = (Object.keys(HOOKS) as HookName[]).map((hook) => [hook, (payload: unknown) => call(hook, payload)]);
  return Object.fromEntries(named) as unknown as Fire;
}

/** Calls a hook of whichever family. */
export async function callHook(calls: HookCalls, hook: HookName, payload: unknown): Promise<Omit<Fired, 'keys'>> {
  const family = HOOKS[hook];
  const named = calls as unknown as Readonly<Record<string, (payload: unknown) => Promise<unknown>>>;
  if (family !== 'on') {
    const method = hook === 'onReportState' ? 'reportState' : hook;
    return { value: await named[method]?.(payload), failures: [] };
  }
  const tell = calls.tell as unknown as (hook: HookName, payload: unknown) => ReturnType<HookCalls['tell']>;
  const { failures } = await tell.call(calls, hook, payload);
  return { value: undefined, failures };
}
