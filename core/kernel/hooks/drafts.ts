import type { HookName, PortBindDraft, PortUnbindDraft, Refusal } from '@patchbay/sdk';
import { z } from 'zod';
import { KernelError } from '../errors';
import { frozenCopy, isPlainObject, samePlain } from '../plain';
import { BoundShape, PortShape, SegmentShape, Text, VifShape } from './shapes';

interface DraftRules {
  readonly shape: z.ZodType;
  /** Dotted fields that say which port this is and what the switch has: no plugin's to change. */
  readonly immutable: readonly string[];
}

const RULES: Readonly<Record<'beforePortBind' | 'beforePortUnbind', DraftRules>> = {
  beforePortBind: {
    shape: z.strictObject({ port: PortShape, vif: VifShape, segment: SegmentShape }),
    immutable: ['port.id', 'port.networkId', 'port.revision', 'vif', 'segment.networkId'],
  },
  beforePortUnbind: {
    shape: z.strictObject({
      bound: BoundShape,
      reason: Text,
    }),
    immutable: ['bound'],
  },
};

export type DraftHook = keyof typeof RULES;
export type Draft = PortBindDraft | PortUnbindDraft;

/** Whether a before-tap's answer is a refusal. */
export function isRefusal(answer: unknown): answer is Refusal {
  return isPlainObject(answer) && typeof answer.refused === 'string';
}

/** A frozen copy of the draft that a tap returned, if it can take the place of the one that the tap was given. */
export function acceptedDraft<D extends Draft>(hook: DraftHook, plugin: string, given: D, returned: unknown): D {
  const refused = (field: string, problem: string): Error =>
    KernelError.draftInvalid({ hook: hook satisfies HookName, plugin, field, problem });
  const draft = frozenCopy(returned, `the draft that ${plugin} returned from ${hook}`);
  const checked = RULES[hook].shape.safeParse(draft);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    const field = issue?.path.join('.') ?? '';
    throw refused(field === '' ? 'the draft' : field, issue?.message ?? 'has another shape');
  }
  for (const field of RULES[hook].immutable) {
    if (!samePlain(at(given, field), at(draft, field))) throw refused(field, 'is not a plugin’s to change');
  }
  return draft as D;
}

function at(value: unknown, field: string): unknown {
  return field.split('.').reduce<unknown>((inner, key) => (isPlainObject(inner) ? inner[key] : undefined), value);
}
