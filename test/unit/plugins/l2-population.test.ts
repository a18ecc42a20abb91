import { type Flow, parseFlows, type Segment, type SwitchView } from '@patchbay/sdk';
import { ForwardingBed } from '../../support/forwarding-bed';
import { expectFlows, IDENTITY, portRow, VXLAN_SEGMENT } from '../../support/plugin-kit';

const FLOODING = ['00:00:00:00:00:00', '0.0.0.0'];
const NETWORK = VXLAN_SEGMENT.networkId;
const OTHER: Segment = { ...VXLAN_SEGMENT, networkId: 'net-other', segmentationId: 7 };

/** In the form in which neutron-server sends it. */
function fdb(ports: Readonly<Record<string, readonly (readonly string[])[]>>, segment: Segment = VXLAN_SEGMENT) {
  return { [segment.networkId]: { segment_id: segment.segmentationId, network_type: segment.networkType, ports } };
}

const changed = (before: readonly string[][], after: readonly string[][]) => ({
  chg_ip: { [NETWORK]: { '10.0.0.2': { before, after } } },
});

const A = ['fa:16:3e:00:00:0a', '10.1.0.10'];
const B = ['fa:16:3e:00:00:0b', '10.1.0.11'];
const unicast = (mac: string, port: string) =>
  `table=20,priority=2,dl_vlan=1,dl_dst=${mac} actions=strip_vlan,set_field:0x170d0->tun_id,output:${port}`;
const flood = (bed: ForwardingBed) =>
  bed.tunnels.flows('segment/net-vxlan/1').filter(({ table }: Flow) => table === 22);

/** MAC addresses with which ARP is answered. */
const answering = (bed: ForwardingBed) =>
  bed.answers
    .flows()
    .flatMap(({ actions }) =>
      actions.flatMap((action) => (action.type === 'set_field' && action.field === 'arp_sha' ? [action.value] : [])),
    );

async function running(): Promise<ForwardingBed> {
  const bed = await new ForwardingBed().start();
  await bed.synced();
  await bed.bind(VXLAN_SEGMENT, 1);
  bed.server.asked.length = 0;
  return bed;
}

function installed(text: string): Promise<readonly (Flow & { readonly cookie: bigint })[]> {
  return Promise.resolve(parseFlows('br-tun', text).map(({ flow }) => ({ ...flow, cookie: 0n })));
}

describe('entries of the server', () => {
  test('make a tunnel to each host that they name, and flood to it', async () => {
    const bed = await running();
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A], '10.0.0.3': [FLOODING] }));
    expect(bed.tunnelPorts).toEqual(['vxlan-0a000002', 'vxlan-0a000003']);
    expectFlows(flood(bed), {
      'br-tun':
        'table=22,priority=1,dl_vlan=1 actions=strip_vlan,set_field:0x170d0->tun_id,output:vxlan-0a000002,output:vxlan-0a000003',
    });
    expectFlows(bed.entries.flows(), { 'br-tun': unicast(A[0] ?? '', 'vxlan-0a000002') });
  });

  test('are the only ones that make tunnels: registered endpoints and tunnel_update do not', async () => {
    const bed = await running();
    await bed.fake.fire('onTunnelEndpointAdded', { tunnelType: 'vxlan', ipAddress: '10.0.0.50' });
    expect(bed.tunnelPorts).toEqual([]);
    expectFlows(flood(bed), { 'br-tun': 'table=22,priority=1,dl_vlan=1 actions=strip_vlan,set_field:0x170d0->tun_id' });
  });

  test('that go take their tunnel along with the last one', async () => {
    const bed = await running();
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A, B] }));
    await bed.send('remove_fdb_entries', fdb({ '10.0.0.2': [A] }));
    expectFlows(bed.entries.flows(), { 'br-tun': unicast(B[0] ?? '', 'vxlan-0a000002') });
    expect(bed.tunnelPorts).toEqual(['vxlan-0a000002']);
    await bed.send('remove_fdb_entries', fdb({ '10.0.0.2': [FLOODING, B] }));
    expect(bed.entries.keys()).toEqual([]);
    expect(bed.tunnelPorts).toEqual([]);
  });

  test('change the addresses of a port', async () => {
    const bed = await running();
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A] }));
    await bed.send('update_fdb_entries', changed([A], [[A[0] ?? '', '10.1.0.77']]));
    expectFlows(bed.entries.flows(), { 'br-tun': unicast(A[0] ?? '', 'vxlan-0a000002') });
    expect(bed.answers.flows().map(({ match }) => match.arp_tpa)).toContain('10.1.0.77');
    expect(bed.answers.flows().map(({ match }) => match.arp_tpa)).not.toContain('10.1.0.10');
  });

  test.each([
    ['by fanout', undefined],
    ['for this host alone', IDENTITY.host],
  ])('come, change and go %s', async (_how, host) => {
    const bed = await running();
    const send = async (method: string, entries: unknown) => {
      bed.server.send(method, entries, host);
      await bed.jobs.settle();
    };
    await send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A, B] }));
    expect(bed.entries.flows().map(({ match }) => match.eth_dst)).toEqual([A[0], B[0]]);
    await send('update_fdb_entries', changed([A], [['fa:16:3e:00:00:0d', A[1] ?? '']]));
    expect(bed.entries.flows().map(({ match }) => match.eth_dst)).toEqual([B[0], 'fa:16:3e:00:00:0d']);
    expect(answering(bed)).toEqual([B[0], 'fa:16:3e:00:00:0d']);
    await send('remove_fdb_entries', fdb({ '10.0.0.2': [FLOODING, B, ['fa:16:3e:00:00:0d', A[1] ?? '']] }));
    expect([bed.entries.keys(), bed.tunnelPorts]).toEqual([[], []]);
  });

  test('of a MAC that comes up on another host take it away from the former one', async () => {
    const bed = await running();
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A] }));
    await bed.send('add_fdb_entries', fdb({ '10.0.0.3': [FLOODING, A] }));
    expectFlows(bed.entries.flows(), { 'br-tun': unicast(A[0] ?? '', 'vxlan-0a000003') });
    await bed.send('remove_fdb_entries', fdb({ '10.0.0.2': [A] }));
    expectFlows(bed.entries.flows(), { 'br-tun': unicast(A[0] ?? '', 'vxlan-0a000003') });
  });

  test('of this host, of networks that are not used here, and for another host are left out', async () => {
    const bed = await running();
    await bed.send('add_fdb_entries', fdb({ '127.0.0.1': [FLOODING, A] }));
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A] }, OTHER));
    bed.server.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A] }), 'another-host');
    await bed.jobs.settle();
    expect([bed.tunnelPorts, bed.entries.keys(), bed.answers.keys()]).toEqual([[], [], ['table']]);
  });

  test.each([
    ['no map', 'fdb_entries'],
    [{ [NETWORK]: { network_type: 'vxlan', ports: {} } }, 'segment_id'],
    [fdb({ '10.0.0.2': 'all' as never }), 'ports.10.0.0.2'],
    [fdb({ '10.0.0.2': [['fa:16:3e:00:00:0a']] }), 'ports.10.0.0.2'],
  ])('that make no sense are refused by the name of what is wrong: %#', async (entries, field) => {
    const bed = await running();
    expect(() => bed.server.send('add_fdb_entries', entries)).toThrow(field);
  });

  test('do not touch the keys of other hosts when one changes', async () => {
    const bed = await running();
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A], '10.0.0.3': [FLOODING, B] }));
    for (const desired of [bed.entries, bed.tunnels, bed.answers]) desired.history.length = 0;
    await bed.send('add_fdb_entries', fdb({ '10.0.0.3': [['fa:16:3e:00:00:0c', '10.1.0.12']] }));
    expect(bed.entries.history).toEqual(['set entries/net-vxlan/10.0.0.3']);
    expect(bed.answers.history).toEqual(['set answers/net-vxlan/10.0.0.3']);
    expect(bed.tunnels.history).toEqual(['set segment/net-vxlan/1']);
  });
});

describe('a segment', () => {
  test('that is released takes its entries along, and its tunnels if no other has ports there', async () => {
    const bed = await running();
    await bed.bind(OTHER, 2);
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A], '10.0.0.3': [FLOODING] }));
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING] }, OTHER));
    await bed.release({ segment: VXLAN_SEGMENT, localVlan: 1 });
    expect(bed.tunnelPorts).toEqual(['vxlan-0a000002']);
    expect(bed.entries.keys()).toEqual([]);
  });

  test('that is renumbered keeps its entries', async () => {
    const bed = await running();
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A] }));
    await bed.fake.fire('onSegmentReleased', { segment: VXLAN_SEGMENT, localVlan: 1 });
    await bed.fake.fire('onSegmentBound', { segment: { ...VXLAN_SEGMENT, segmentationId: 5 }, localVlan: 1 });
    expectFlows(bed.entries.flows(), {
      'br-tun': `table=20,priority=2,dl_vlan=1,dl_dst=${A[0]} actions=strip_vlan,set_field:5->tun_id,output:vxlan-0a000002`,
    });
    expectFlows(flood(bed), {
      'br-tun': 'table=22,priority=1,dl_vlan=1 actions=strip_vlan,set_field:5->tun_id,output:vxlan-0a000002',
    });
  });

  test('is asked about once its port is up', async () => {
    const bed = await running();
    await bed.bind(OTHER, 2);
    expect(bed.server.asked).toEqual([['port-of-net-other']]);
  });
});

describe('after a start', () => {
  async function restarted(): Promise<ForwardingBed> {
    const bed = new ForwardingBed();
    const remote = (name: string, ip: string, ofport: number) =>
      portRow({ bridge: 'br-tun', name }, { type: 'vxlan', ofport, options: { remote_ip: ip } });
    bed.view.portRows = [
      remote('vxlan-0a000002', '10.0.0.2', 2),
      remote('vxlan-0a000003', '10.0.0.3', 3),
      remote('vxlan-0a000004', '10.0.0.4', 4),
    ];
    const flows: SwitchView['flows'] = async (_bridge, tables) =>
      (
        await installed(`
          table=20,priority=2,dl_vlan=1,dl_dst=${A[0]} actions=strip_vlan,set_field:0x170d0->tun_id,output:2
          table=20,priority=2,dl_vlan=2,dl_dst=${B[0]} actions=strip_vlan,set_field:0x99->tun_id,output:3
          table=21,priority=1,arp,dl_vlan=2,arp_op=1,arp_tpa=10.1.0.11 actions=IN_PORT
          table=22,priority=1,dl_vlan=1 actions=strip_vlan,set_field:0x170d0->tun_id,output:2,output:3
          table=22,priority=1,dl_vlan=2 actions=strip_vlan,set_field:0x99->tun_id,output:3
        `)
      ).filter(({ table }) => tables?.includes(table) !== false);
    Object.assign(bed.view, { flows });
    return bed.start();
  }

  test('tunnels and flooding stay as they are until the full entries have come, whatever comes before', async () => {
    const bed = await restarted();
    bed.server.away = true;
    await bed.bind(VXLAN_SEGMENT, 1);
    await bed.send('add_fdb_entries', fdb({ '10.0.0.5': [FLOODING] }));
    await bed.synced();
    expect(bed.tunnelPorts).toEqual(['vxlan-0a000002', 'vxlan-0a000003', 'vxlan-0a000004', 'vxlan-0a000005']);
    expectFlows(flood(bed), {
      'br-tun':
        'table=22,priority=1,dl_vlan=1 actions=strip_vlan,set_field:0x170d0->tun_id,output:vxlan-0a000002,output:vxlan-0a000003,output:vxlan-0a000005',
    });
    expect([bed.entries.isComplete, bed.tunnels.isComplete, bed.answers.isComplete]).toEqual([false, false, false]);
    expect(bed.health.conditions.get('entries')?.detail).toContain('PB-L2-POPULATION-2');
  });

  test('what the full entries do not name goes', async () => {
    const bed = await restarted();
    await bed.bind(VXLAN_SEGMENT, 1);
    bed.server.full = fdb({ '10.0.0.2': [FLOODING, A] });
    await bed.synced();
    expect(bed.server.asked).toEqual([['port-of-net-vxlan']]);
    expect(bed.tunnelPorts).toEqual(['vxlan-0a000002']);
    expectFlows(flood(bed), {
      'br-tun': 'table=22,priority=1,dl_vlan=1 actions=strip_vlan,set_field:0x170d0->tun_id,output:vxlan-0a000002',
    });
    expect([bed.entries.isComplete, bed.tunnels.isComplete, bed.answers.isComplete]).toEqual([true, true, true]);
  });

  test('a VLAN that belongs to another segment now has neither flooding, entries nor answers of the former one', async () => {
    const bed = await restarted();
    bed.server.away = true;
    await bed.bind(OTHER, 2);
    expectFlows(
      [...bed.entries.flows(), ...bed.answers.flows().filter(({ priority, table }) => table === 21 && priority === 1)],
      {
        'br-tun': `
        table=20,priority=2,dl_vlan=2,dl_dst=${B[0]} actions=goto_table:22
        table=21,priority=1,arp,dl_vlan=2,arp_op=1,arp_tpa=10.1.0.11 actions=goto_table:22`,
      },
    );
    expectFlows(
      bed.tunnels.flows('segment/net-other/2').filter(({ table }) => table === 22),
      { 'br-tun': 'table=22,priority=1,dl_vlan=2 actions=drop' },
    );
    bed.server.away = false;
    await bed.synced();
    expect(bed.entries.keys()).toEqual([]);
  });

  test('with nothing used here, everything is complete at once', async () => {
    const bed = await restarted();
    await bed.synced();
    expect([bed.entries.isComplete, bed.tunnels.isComplete, bed.tunnelPorts]).toEqual([true, true, []]);
  });
});

describe('after an outage of the broker', () => {
  test('entries that went meanwhile go, and those that came are there', async () => {
    const bed = await running();
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A], '10.0.0.3': [FLOODING] }));
    bed.server.full = fdb({ '10.0.0.2': [FLOODING, B] });
    bed.server.restore();
    await bed.jobs.settle();
    expect(bed.server.asked).toEqual([['port-of-net-vxlan']]);
    expectFlows(bed.entries.flows(), { 'br-tun': unicast(B[0] ?? '', 'vxlan-0a000002') });
    expect(bed.tunnelPorts).toEqual(['vxlan-0a000002']);
  });

  test('a server that is still away is asked until it answers', async () => {
    const bed = await running();
    bed.server.away = true;
    bed.server.restore();
    await bed.jobs.settle();
    bed.server.away = false;
    bed.server.full = fdb({ '10.0.0.2': [FLOODING, A] });
    await bed.jobs.retry();
    expect(bed.tunnelPorts).toEqual(['vxlan-0a000002']);
    expect(bed.health.conditions.has('entries')).toBe(false);
  });
});

describe('what is reported', () => {
  test('says that entries are taken and ARP is answered', async () => {
    const bed = await running();
    const parts = (await bed.fake.fire('onReportState', { devices: 0 })) as readonly {
      configurations: Readonly<Record<string, unknown>>;
    }[];
    expect(Object.assign({}, ...parts.map(({ configurations }) => configurations))).toMatchObject({
      l2_population: true,
      arp_responder_enabled: true,
      tunneling_ip: '127.0.0.1',
    });
  });
});

describe('ARP requests', () => {
  test('for ports of other hosts are answered here, IPv4 only', async () => {
    const bed = await running();
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A, ['fa:16:3e:00:00:0a', 'fd00::a']] }));
    expectFlows(bed.answers.flows(), {
      'br-tun': `
        table=2,priority=1,arp,dl_dst=ff:ff:ff:ff:ff:ff actions=goto_table:21
        table=21,priority=0 actions=goto_table:22
        table=21,priority=1,arp,dl_vlan=1,arp_op=1,arp_tpa=10.1.0.10 actions=set_field:2->arp_op,move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],set_field:fa:16:3e:00:00:0a->arp_sha,set_field:10.1.0.10->arp_spa,move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:fa:16:3e:00:00:0a->eth_src,IN_PORT`,
    });
  });

  test('for an address that two hosts have are answered as the last one told', async () => {
    const bed = await running();
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, A] }));
    await bed.send('add_fdb_entries', fdb({ '10.0.0.3': [FLOODING, [B[0] ?? '', A[1] ?? '']] }));
    expect(answering(bed)).toEqual([B[0]]);
    await bed.send('remove_fdb_entries', fdb({ '10.0.0.3': [FLOODING, [B[0] ?? '', A[1] ?? '']] }));
    expect(answering(bed)).toEqual([A[0]]);
  });
});

describe('neighbour solicitations', () => {
  test('are answered too where the operator wants it, but for those of a host that has no address yet', async () => {
    const bed = await new ForwardingBed({ responder: { nd_responder: true } }).start();
    await bed.synced();
    await bed.bind(VXLAN_SEGMENT, 1);
    await bed.send('add_fdb_entries', fdb({ '10.0.0.2': [FLOODING, ['fa:16:3e:00:00:0a', 'fd00::a']] }));
    expectFlows(
      bed.answers.flows().filter(({ match }) => match.eth_type === 0x86dd),
      {
        'br-tun': `
        table=2,priority=1,icmp6,dl_dst=33:33:ff:00:00:00/ff:ff:ff:00:00:00,icmp_type=135,icmp_code=0 actions=goto_table:21
        table=21,priority=2,icmp6,ipv6_src=::,icmp_type=135 actions=goto_table:22
        table=21,priority=1,icmp6,dl_vlan=1,icmp_type=135,icmp_code=0,nd_target=fd00::a actions=set_field:136->icmpv6_type,resubmit(,21)
        table=21,priority=1,icmp6,dl_vlan=1,icmp_type=136,icmp_code=0,nd_target=fd00::a actions=set_field:2->nd_options_type,set_field:1610612736->nd_reserved,set_field:fa:16:3e:00:00:0a->nd_tll,move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:fa:16:3e:00:00:0a->eth_src,move:NXM_NX_IPV6_SRC[]->NXM_NX_IPV6_DST[],set_field:fd00::a->ipv6_src,IN_PORT`,
      },
    );
  });
});
