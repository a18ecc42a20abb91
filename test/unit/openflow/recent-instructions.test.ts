import { type Action, actionList, flow, output, resubmit } from '@patchbay/sdk';
import { writeInstructions } from '../../../core/switch/openflow/wire/encode-actions';
import { RecentInstructions } from '../../../core/switch/openflow/wire/recent-instructions';
import { WireWriter } from '../../../core/switch/openflow/wire/writer';

const noPorts = () => undefined;

function written(write: (writer: WireWriter) => void): string {
  const writer = new WireWriter();
  write(writer);
  return writer.take().toString('hex');
}

const anew = (actions: readonly Action[], tagged = false, resolve: (name: string) => number | undefined = noPorts) =>
  written((writer) => writeInstructions(writer, actions, tagged, resolve));

describe('instructions that are written again', () => {
  test('are the same bytes, also after many others, and behind a match of a VLAN tag those that belong there', () => {
    const recent = new RecentInstructions();
    const again = (actions: readonly Action[], tagged = false) =>
      written((writer) => recent.write(writer, actions, tagged, noPorts));
    const lists = Array.from({ length: 20 }, (_, index) => actionList({ type: 'mod_vlan_vid', vlan: index + 1 }));
    for (const list of [...lists, ...lists.slice(10), ...lists]) {
      for (const tagged of [false, true, false]) expect(again(list, tagged)).toBe(anew(list, tagged));
    }
  });

  test('are worked out again where the list can be changed, or names a port', () => {
    const recent = new RecentInstructions();
    const list: Action[] = [output(1)];
    expect(written((writer) => recent.write(writer, list, false, noPorts))).toBe(anew(list));
    list.push(resubmit(5));
    expect(written((writer) => recent.write(writer, list, false, noPorts))).toBe(anew(list));

    const named = actionList(output('tap1'));
    for (const number of [7, 8]) {
      const resolve = () => number;
      expect(written((writer) => recent.write(writer, named, false, resolve))).toBe(anew(named, false, resolve));
    }
  });
});

describe('actions that are fixed', () => {
  test('are shared by the flows that have them, and nobody can change them', () => {
    const actions = actionList({ type: 'ct', exec: [{ type: 'ct_clear' }] });
    const made = [1, 2].map((priority) => flow({ bridge: 'br-int', priority, actions }));
    for (const one of made) expect(one.actions).toBe(actions);
    const [ct] = actions;
    expect(Object.isFrozen(actions) && Object.isFrozen(ct)).toBe(true);
    expect(ct?.type === 'ct' && Object.isFrozen(ct.exec)).toBe(true);
  });

  test('that somebody froze himself are copied, for what is in them can be changed', () => {
    const own = Object.freeze([{ type: 'output', port: 1 } as Action]);
    expect(flow({ bridge: 'br-int', priority: 1, actions: own }).actions).not.toBe(own);
  });
});
