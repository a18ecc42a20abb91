import { canonical } from '@patchbay/agent/testing';
import { type Flow, type PortView, parseFlows, printFlow } from '@patchbay/sdk';

/** Number of a port by its name. */
export type PortNumbers = (name: string) => number;

/** Numbers for names, where no switch has given any: the same name, the same number. */
export function inventedNumbers(): PortNumbers {
  const numbers = new Map<string, number>();
  return (name) => {
    const known = numbers.get(name) ?? 10_000 + numbers.size;
    numbers.set(name, known);
    return known;
  };
}

/** Numbers as the switch gave them. */
export function numbersOf(ports: readonly PortView[]): PortNumbers {
  const invented = inventedNumbers();
  const numbers = new Map(ports.flatMap(({ name, interfaces }) => [[name, interfaces[0]?.ofport ?? null] as const]));
  return (name) => numbers.get(name) ?? invented(name);
}

/** Flows by what they do: two that differ only in notation have the same key. The value is for people. */
export function byEffect(flows: readonly Flow[], numbers: PortNumbers): ReadonlyMap<string, string> {
  return new Map(
    flows.map((flow) => {
      const { key, body } = canonical.flow(withNumbers(flow, numbers) as Flow);
      return [`${key}\n${body}`, printFlow(flow)];
    }),
  );
}

/** Flows of a text in the notation of ovs-ofctl, ports by name or number; several to a text, one a line. */
export function flowsOf(bridge: string, text: string): readonly Flow[] {
  return parseFlows(bridge, text).map(({ flow }) => flow);
}

function withNumbers(value: unknown, numbers: PortNumbers): unknown {
  if (Array.isArray(value)) return value.flatMap((item) => withNumbersInList(item, numbers));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === 'port' && typeof only[1] === 'string') return numbers(only[1]);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withNumbers(inner, numbers)]));
}

/** A set of ports is an output to each of them, in the order of their numbers. */
function withNumbersInList(item: unknown, numbers: PortNumbers): readonly unknown[] {
  if (item !== null && typeof item === 'object' && 'type' in item && item.type === 'output_set' && 'ports' in item) {
    const ports = item.ports as readonly string[];
    return ports
      .map(numbers)
      .sort((left, right) => left - right)
      .map((port) => ({ type: 'output', port }));
  }
  return [withNumbers(item, numbers)];
}
