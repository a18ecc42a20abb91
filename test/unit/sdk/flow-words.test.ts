import {
  type Action,
  checkPacketLarger,
  clone,
  decMplsTtl,
  decTtl,
  output,
  parseFlow,
  popField,
  popMpls,
  printFlow,
  pushField,
  pushMpls,
  setField,
} from '@patchbay/sdk';
import { UnresolvedPortError } from '@patchbay/sdk/flow';
import { canonicalFlow } from '../../../core/switch/openflow';
import { FlowResolver } from '../../../core/switch/planner/resolve';

const actionsOf = (text: string): readonly Action[] => parseFlow('br0', `table=0,ip actions=${text}`).actions;
const printed = (text: string): string =>
  printFlow(parseFlow('br0', `table=0,priority=1 actions=${text}`)).split('actions=')[1] ?? '';

describe('words of ovs-ofctl', () => {
  it.each<[string, readonly Action[]]>([
    ['set_mpls_label:5', [setField('mpls_label', 5)]],
    ['set_mpls_tc:3', [setField('mpls_tc', 3)]],
    ['set_mpls_ttl:6', [setField('mpls_ttl', 6)]],
    ['mod_nw_ttl:6', [setField('nw_ttl', 6)]],
    ['set_vlan_pcp:2', [setField('vlan_pcp', 2)]],
    ['dec_mpls_ttl', [decMplsTtl]],
    ['dec_ttl', [decTtl]],
    ['dec_ttl(1,2)', [{ type: 'dec_ttl', controllerIds: [1, 2] }]],
    ['push_mpls:0x8847,pop_mpls:0x800', [pushMpls(), popMpls(0x800)]],
    ['push:NXM_NX_REG2[1..5],pop:eth_dst', [pushField('reg2[1..5]'), popField('eth_dst')]],
    ['check_pkt_larger(1500)->reg0[0]', [checkPacketLarger(1500, 'reg0[0]')]],
    ['fin_timeout(idle_timeout=3,hard_timeout=9)', [{ type: 'fin_timeout', idleTimeout: 3, hardTimeout: 9 }]],
    ['clone(set_field:1->reg0,output:"tap1"),output:2', [clone(setField('reg0', 1), output('tap1')), output(2)]],
    [
      'enqueue:1:2,output:3',
      [
        { type: 'set_queue', queue: 2 },
        { type: 'output', port: 1 },
        { type: 'pop_queue' },
        { type: 'output', port: 3 },
      ],
    ],
    ['enqueue("tap1",4)', [{ type: 'set_queue', queue: 4 }, output('tap1'), { type: 'pop_queue' }]],
  ])('%s are read', (text, actions) => {
    expect(actionsOf(text)).toEqual(actions);
  });

  it.each([
    'dec_ttl(1,2)',
    'dec_mpls_ttl',
    'push:NXM_NX_REG2[1..5]',
    'pop:NXM_OF_ETH_DST[]',
    'check_pkt_larger(1500)->NXM_NX_REG0[0]',
    'fin_timeout(idle_timeout=3,hard_timeout=9)',
    'clone(set_field:1->reg0,clone(output:"tap1")),output:2',
  ])('%s are printed as they are written', (text) => {
    expect(printed(text)).toBe(text.replace('set_field:1', 'set_field:0x1'));
  });

  it.each([
    ['check_pkt_larger(1500)', /not of the form \(1500\)->reg0\[0\]/],
    ['fin_timeout(idle=3)', /no setting 'idle=3'/],
    ['enqueue:1', /not a port and a queue/],
    ['push:nowhere', /nowhere/],
  ])('%s are refused', (text, message) => {
    expect(() => actionsOf(text)).toThrow(message);
  });

  it.each([
    ['check_pkt_larger(1500)->reg0[0..1]', /sets one bit/],
    ['clone(goto_table:3)', /is an instruction/],
  ])('%s cannot be sent', (text, message) => {
    expect(() => canonicalFlow(parseFlow('br0', `table=0 actions=${text}`), () => undefined)).toThrow(message);
  });
});

describe('a port named within a clone', () => {
  const flow = parseFlow('br0', 'table=0 actions=clone(output:"tap1"),output:2');

  it('is waited for, and known by its number', () => {
    expect(() => canonicalFlow(flow, () => undefined)).toThrow(UnresolvedPortError);
    expect(new FlowResolver(() => undefined).flow(flow)).toBeUndefined();
    const resolved = new FlowResolver(() => 7).flow(flow);
    expect(resolved?.ports).toEqual(['tap1']);
    expect(resolved?.actions[0]).toEqual({ type: 'clone', actions: [{ type: 'output', port: 7 }] });
  });
});
