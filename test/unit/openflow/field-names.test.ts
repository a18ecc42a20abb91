import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  drop,
  FIELDS,
  fieldNamed,
  flow,
  load,
  type Match,
  output,
  port,
  printFlow,
  registerBit,
  setField,
} from '@patchbay/sdk';

const source = readFileSync(join(__dirname, '../../../sdk/flow/field-names.ts'), 'utf8');
const typed = [...source.matchAll(/'(\w+)'/g)].map(([, name = '']) => name);

describe('the names of fields that types know', () => {
  it('are each in the table of fields', () => {
    expect(typed.length).toBeGreaterThan(80);
    // In a match, VLAN ids and transport ports have an older name whose field depends on what stands beside it.
    const readByNeighbours = ['dl_vlan', 'tp_src', 'tp_dst'];
    for (const name of typed.filter((one) => !readByNeighbours.includes(one)))
      expect(fieldNamed(name).name).toBeDefined();
  });

  it('have the registers that the table has', () => {
    const ofTable = FIELDS.map(({ name }) => name).filter((name) => /^x*reg\d+$/.test(name));
    const last: readonly Match[] = [{ reg15: 1 }, { xreg7: 1 }, { xxreg3: 1 }];
    expect(
      last.flatMap((match) => Object.keys(match)).every((name) => (ofTable as readonly string[]).includes(name)),
    ).toBe(true);
    expect(ofTable).toHaveLength(16 + 8 + 4);
  });
});

it('a register bit is named alike in an action and in matches', () => {
  const { bit, isSet, isClear } = registerBit(191);
  const marked = flow({ bridge: 'br-int', priority: 1, match: isClear, actions: [load(bit, 1)] });
  expect(printFlow(marked)).toBe('table=0,priority=1,reg15=0x0/0x80000000 actions=load:0x1->NXM_NX_REG15[31]');
  expect(printFlow({ ...marked, match: isSet, actions: [] })).toMatch(/reg15=0x80000000\/0x80000000/);
});

it('a misspelt field does not compile, in a match nor in an action', () => {
  // @ts-expect-error
  const inMatch = () => flow({ bridge: 'br-int', priority: 1, match: { tcp_dts: 25 }, actions: drop });
  // @ts-expect-error
  const inPort = () => flow({ bridge: 'br-int', priority: 1, match: { vlan_vid: port('tap1') } });
  // @ts-expect-error
  const set = () => setField('reg16', 1);
  // @ts-expect-error
  const loaded = () => load('rge9[0]', 1);
  expect(() =>
    flow({ bridge: 'br-int', priority: 1, match: { in_port: port('tap1'), reg9: 1 }, actions: [output(1)] }),
  ).not.toThrow();
  expect([inMatch, inPort, set, loaded]).toHaveLength(4);
});
