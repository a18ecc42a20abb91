import type { Action, Flow } from '@patchbay/sdk';
import { canonical } from '../../../core/switch/canonical';
import { decide } from '../../../core/switch/planner/decide';
import { FlowItem } from '../../../core/switch/planner/items';
import { FlowResolver } from '../../../core/switch/planner/resolve';

const OWNER = { plugin: 'one', key: 'k', rank: 0 };
const NUMBERS = new Map([['br-int a', 1]]);

function item(...actions: readonly Action[]): FlowItem {
  const stated: Flow = { bridge: 'br-int', table: 0, priority: 0, match: {}, actions };
  const resolved = new FlowResolver((bridge, port) => NUMBERS.get(`${bridge} ${port}`)).flow(stated);
  if (resolved === undefined) throw new Error('a port of the test has no number');
  const { key, body } = canonical.flow(stated, undefined, resolved.actions);
  return new FlowItem(OWNER, key, body, resolved, NUMBERS);
}

describe('flows of one key at one place that come to the same', () => {
  const set = (...ports: readonly string[]): Action => ({ type: 'output_set', ports });
  const alike: readonly (readonly [string, FlowItem, FlowItem])[] = [
    ['a drop, and a set of no port', item(), item(set())],
    ['an output, and a set of that port', item({ type: 'output', port: { port: 'a' } }), item(set('a'))],
    [
      'sets that begin at different outputs',
      item(set('a'), { type: 'output', port: 1 }),
      item({ type: 'output', port: 1 }, set('a')),
    ],
  ];

  test.each(alike)('%s: are decided alike in either order', (_what, one, other) => {
    expect(one.body).toBe(other.body);
    expect(decide([other, one], canonical)).toEqual(decide([one, other], canonical));
  });

  test('a drop that is stated is there beside a set of no port', () => {
    expect(decide([item(set()), item()], canonical)?.item).toBeDefined();
  });
});
