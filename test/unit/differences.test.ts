import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { comparedFlows } from '../support/bed-rows';
import { compare, type Difference, differencesPage } from '../support/differences';

const PAGE = join(__dirname, '../../docs/differences.md');

test('the page of differences is that of the list which the system test goes by', () => {
  if (process.env.UPDATE_PAGES) writeFileSync(PAGE, differencesPage());
  expect(readFileSync(PAGE, 'utf8')).toBe(differencesPage());
});

describe('comparing two switches', () => {
  const listed: readonly Difference[] = [
    {
      title: 'tables',
      reason: 'are numbered otherwise',
      lines: [
        { reference: 'in_port=<port> goto:59', patchbay: 'in_port=<port> goto:58' },
        { patchbay: 'mark <owner>' },
      ],
    },
  ];

  test('finds nothing where every difference is in the list', () => {
    expect(compare(['same', 'in_port=a goto:59'], ['same', 'in_port=a goto:58', 'mark x'], listed)).toEqual({
      onlyReference: [],
      onlyPatchbay: [],
      unmet: [],
    });
  });

  test('takes a line for the counterpart of no other port', () => {
    expect(compare(['in_port=a goto:59'], ['in_port=b goto:58', 'mark x'], listed)).toMatchObject({
      onlyReference: ['in_port=a goto:59'],
      onlyPatchbay: ['in_port=b goto:58'],
    });
  });

  test('matches a word no further than it must', () => {
    const lines = [{ reference: 'cookie=<random>,X<rest>', patchbay: 'cookie=0,X<rest>' }];
    const learned: readonly Difference[] = [{ title: 'cookies', reason: 'differ', lines }];
    expect(compare(['cookie=77,X[],X[]'], ['cookie=0,X[],X[]'], learned)).toEqual({
      onlyReference: [],
      onlyPatchbay: [],
      unmet: [],
    });
  });

  test('names what is in the list and is no longer so', () => {
    expect(compare(['same'], ['same'], listed).unmet).toEqual(['in_port=<port> goto:59', 'mark <owner>']);
  });

  test('takes floods to the same ports for the same, in whichever order they are listed', () => {
    const flood = (...ports: readonly string[]) =>
      comparedFlows(
        ` cookie=0x1, table=22, actions=pop_vlan,${ports.map((port) => `output:"${port}"`).join()}`,
        'without cookies',
      );
    expect(flood('vxlan-2', 'vxlan-4', 'vxlan-3')).toEqual(flood('vxlan-4', 'vxlan-3', 'vxlan-2'));
    expect(flood('vxlan-2', 'vxlan-4')).not.toEqual(flood('vxlan-2', 'vxlan-3'));
  });

  test('keeps the order of outputs that have an action between them', () => {
    const flow = (actions: string) => comparedFlows(` table=1, actions=${actions}`, 'with cookies');
    expect(flow('output:b,pop_vlan,output:a')).not.toEqual(flow('output:a,pop_vlan,output:b'));
  });
});
