import { type Action, type Flow, matchFields, parseFlows, valueBytes } from '@patchbay/sdk';

/** What a flow does on the wire, as text: two flows that differ only in notation come out the same. */
function canonical(flow: Flow): string {
  // Ports by name are told apart by their names; what is left are numbers.
  const isPort = ([name, value]: readonly [string, unknown]) =>
    name === 'in_port' || (typeof value === 'object' && value !== null && 'port' in value);
  const named = Object.entries(flow.match).filter(isPort);
  const match = Object.fromEntries(Object.entries(flow.match).filter((entry) => !isPort(entry)));
  const fields = matchFields(match, () => undefined).map(({ field, value, mask }) => {
    const all = valueBytes(field, (1n << BigInt(field.bits)) - 1n);
    const counted = mask === undefined ? all : valueBytes(field, mask);
    const bits = Buffer.compare(all, counted) === 0 ? '' : `/${Buffer.from(counted).toString('hex')}`;
    return `${field.name}=${Buffer.from(valueBytes(field, value)).toString('hex')}${bits}`;
  });
  const actions = flow.actions.flatMap((action): readonly Action[] =>
    action.type === 'output_set' ? action.ports.map((port) => ({ type: 'output', port: { port } })) : [action],
  );
  const text = (value: unknown) =>
    JSON.stringify(value, (_key, inner) =>
      typeof inner === 'bigint'
        ? `0x${inner.toString(16)}`
        : inner !== null && typeof inner === 'object' && !Array.isArray(inner)
          ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
          : inner,
    );
  const port = named
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}=${text(value)} `)
    .join('');
  return `${flow.bridge} table=${flow.table} priority=${flow.priority} ${port}${fields.join(' ')} → ${actions.map(text).join(' ')}`;
}

/** Expects exactly the flows of the texts (ovs-ofctl's, ports by name), by bridge, in any order. */
export function expectFlows(flows: readonly Flow[], expected: Readonly<Record<string, string>>): void {
  const wanted = Object.entries(expected).flatMap(([bridge, text]) =>
    parseFlows(bridge, text).map((parsed) => canonical(parsed.flow)),
  );
  expect(flows.map(canonical).sort()).toEqual(wanted.sort());
}
