import { DEAD_VLAN, type HookName } from '@patchbay/sdk';
import { KernelError } from '../errors';

/** The answer to a question, if the asker can use it. Undefined passes the question on. */
export function acceptedAnswer(hook: HookName, plugin: string, answer: unknown): unknown {
  if (answer === undefined) return undefined;
  const refused = (field: string, problem: string): Error =>
    KernelError.answerInvalid({ plugin, hook, field, problem });
  if (hook === 'resolveLocalVlan') {
    // 0 and 4095 are no VLAN ids (IEEE 802.1Q, 9.6).
    const usable = typeof answer === 'number' && Number.isInteger(answer) && answer >= 1 && answer < DEAD_VLAN;
    if (!usable) throw refused('the local VLAN', `is ${String(answer)}, not a number from 1 to 4094`);
  }
  if (hook === 'resolveTunnelPort' && (typeof answer !== 'string' || answer === '')) {
    throw refused('the port name', `is ${String(answer)}, not the name of a port`);
  }
  return answer;
}
