import { type PortDescription, parseFlows } from '@patchbay/sdk';
import { boundPort, expectFlows, portRow } from '../../../support/plugin-kit';
import { group, setUp } from '../../../support/security-groups-kit';

type Rules = Parameters<typeof group>[1];

/** The flows that a port of one group has, of the tables asked for. */
async function flowsOf(
  rules: Rules,
  {
    tables,
    port = {},
    stateful = true,
    options = {},
  }: {
    tables: readonly number[];
    port?: Partial<PortDescription>;
    stateful?: boolean;
    options?: Readonly<Record<string, unknown>>;
  },
) {
  const bed = setUp({ options });
  bed.resources.groups.set('web', group('web', rules, stateful));
  await bed.fire('onPortAdded', boundPort({ securityGroupIds: ['web'], ...port }));
  return bed.desired.flows('port/p1').filter(({ table }) => tables.includes(table));
}

/** Both of a rule's states, ingress. */
const ingress = (priority: number, match: string) => `
  table=82,priority=${priority},ct_state=+est-rel-rpl,${match},reg5="tap-p1" actions=output:"tap-p1"
  table=82,priority=${priority},ct_state=+new-est,${match},reg5="tap-p1" actions=ct(commit,zone=NXM_NX_REG6[0..15]),output:"tap-p1",resubmit(,92)`;
const egress = (priority: number, match: string) => `
  table=72,priority=${priority},ct_state=+est-rel-rpl,${match},reg5="tap-p1" actions=resubmit(,73)
  table=72,priority=${priority},ct_state=+new-est,${match},reg5="tap-p1" actions=resubmit(,73)`;

describe('a rule', () => {
  test.each<[string, Rules[number], string]>([
    ['of any protocol', {}, ingress(74, 'ip')],
    ['of IPv6', { ethertype: 'IPv6' }, ingress(74, 'ipv6')],
    ['towards a prefix', { direction: 'egress', remoteIpPrefix: '10.9.0.0/16' }, egress(74, 'ip,nw_dst=10.9.0.0/16')],
    ['from everyone, as a /0', { remoteIpPrefix: '0.0.0.0/0' }, ingress(74, 'ip')],
    [
      'from an IPv6 prefix',
      { ethertype: 'IPv6', remoteIpPrefix: '2001:db8::/32' },
      ingress(74, 'ipv6,ipv6_src=2001:db8::/32'),
    ],
    ['of TCP without ports', { protocol: 'tcp' }, ingress(77, 'tcp')],
    ['of one TCP port', { protocol: 'tcp', portRangeMin: 22, portRangeMax: 22 }, ingress(77, 'tcp,tp_dst=22')],
    [
      'of a range of UDP ports',
      { protocol: 'udp', portRangeMin: 5000, portRangeMax: 5003 },
      ingress(77, 'udp,tp_dst=0x1388/0xfffc'),
    ],
    ['of all SCTP ports', { protocol: 'sctp', portRangeMin: 0, portRangeMax: 65535 }, ingress(77, 'sctp')],
    ['of ICMP', { protocol: 'icmp' }, ingress(75, 'icmp')],
    ['of an ICMP type', { protocol: 'icmp', portRangeMin: 8 }, ingress(76, 'icmp,icmp_type=8')],
    [
      'of an ICMP type and code',
      { protocol: 'icmp', portRangeMin: 3, portRangeMax: 4 },
      ingress(77, 'icmp,icmp_type=3,icmp_code=4'),
    ],
    ['of ICMP over IPv6', { ethertype: 'IPv6', protocol: 'icmp' }, ingress(75, 'icmp6')],
    [
      'of an ICMPv6 type',
      { ethertype: 'IPv6', protocol: 'ipv6-icmp', portRangeMin: 128 },
      ingress(76, 'icmp6,icmp_type=128'),
    ],
    ['of a protocol by name', { protocol: 'vrrp' }, ingress(77, 'ip,nw_proto=112')],
    ['of a protocol by number', { protocol: '47' }, ingress(77, 'ip,nw_proto=47')],
  ])('%s', async (_name, one, expected) => {
    expectFlows(
      (await flowsOf([one], { tables: [72, 82] })).filter(({ priority }) => priority > 60),
      { 'br-int': expected },
    );
  });

  test('that is there twice comes to its flows once', async () => {
    const twice = [{ protocol: 'tcp' }, { protocol: 'tcp' }];
    const flows = (await flowsOf(twice, { tables: [82] })).filter(({ priority }) => priority > 60);
    expectFlows(flows, { 'br-int': ingress(77, 'tcp') });
  });

  test.each<[string, Rules[number], RegExp]>([
    [
      'ports of a protocol whose ports the switch cannot match',
      { protocol: 'dccp', portRangeMin: 5, portRangeMax: 5 },
      /cannot match ports of protocol dccp/,
    ],
    ['a protocol that there is not', { protocol: 'tpc' }, /no protocol "tpc"/],
    ['a prefix of the other family', { remoteIpPrefix: '2001:db8::/32' }, /no prefix of IPv4/],
    ['an ICMP type above 255', { protocol: 'icmp', portRangeMin: 256 }, /0 to 255/],
  ])('that says %s allows nothing, and health says so', async (_name, one, reason) => {
    const { resources, fire, health, desired } = setUp();
    resources.groups.set('web', group('web', [one]));
    await fire('onPortAdded', boundPort({ securityGroupIds: ['web'] }));
    expect(desired.flows('port/p1').filter(({ table, priority }) => table === 82 && priority > 60)).toEqual([]);
    expect(health.conditions.get('rule web/0')).toMatchObject({
      level: 'degraded',
      detail: expect.stringMatching(reason),
    });
  });
});

describe('a stateless group', () => {
  const untracked = { stateful: false };

  test('matches whatever the state, below stateful rules and above what states decide', async () => {
    const flows = await flowsOf([{ protocol: 'tcp', portRangeMin: 22, portRangeMax: 22 }, { direction: 'egress' }], {
      tables: [72, 82],
      ...untracked,
    });
    expectFlows(flows, {
      'br-int': `
        table=82,priority=69,tcp,reg5="tap-p1",tp_dst=22 actions=output:"tap-p1"
        table=82,priority=40,reg5="tap-p1" actions=resubmit(,93)
        table=72,priority=66,ip,reg5="tap-p1" actions=ct_clear,resubmit(,73)
        table=72,priority=40,reg5="tap-p1" actions=resubmit(,93)`,
    });
  });

  test('keeps a port’s packets out of conntrack where it has no other group', async () => {
    const flows = await flowsOf([{ direction: 'egress' }], { tables: [60, 71, 72, 81, 82, 94], ...untracked });
    expect(flows.flatMap(({ actions }) => actions.filter(({ type }) => type === 'ct'))).toEqual([]);
  });

  test('has the connection of a tracked neighbour committed, which would wait for the answer in vain', async () => {
    const flows = await flowsOf([], { tables: [73], ...untracked });
    const match = 'reg6=1,dl_dst=fa:16:3e:00:00:01,ct_state=+new-est';
    const actions = 'ct(commit,zone=NXM_NX_REG6[0..15]),set_field:"tap-p1"->reg5,resubmit(,81)';
    expectFlows(
      flows.filter(({ priority }) => priority === 101),
      {
        'br-int': `
          table=73,priority=101,ip,${match} actions=${actions}
          table=73,priority=101,ipv6,${match} actions=${actions}`,
      },
    );
  });

  test('has what a tracked neighbour answers held against its rules', async () => {
    const flows = await flowsOf([], { tables: [94], ...untracked });
    expectFlows(flows, {
      'br-int': 'table=94,priority=20,reg6=1,dl_dst=fa:16:3e:00:00:01 actions=set_field:"tap-p1"->reg5,resubmit(,81)',
    });
  });

  test('beside a stateful one leaves the port’s connections tracked', async () => {
    const { resources, fire, desired } = setUp();
    resources.groups.set('web', group('web', [{ protocol: 'tcp' }], false));
    resources.groups.set('ssh', group('ssh', [{ protocol: 'udp' }]));
    await fire('onPortAdded', boundPort({ securityGroupIds: ['web', 'ssh'] }));
    const text = 'table=71,priority=65,ip,reg5="tap-p1",in_port="tap-p1",dl_src=fa:16:3e:00:00:01,nw_src=10.1.0.5';
    expectFlows(
      desired
        .flows('port/p1')
        .filter(({ table, priority, match }) => table === 71 && priority === 65 && match.eth_type === 0x800),
      { 'br-int': `${text} actions=ct(table=72,zone=NXM_NX_REG6[0..15])` },
    );
  });
});

describe('what a port may send', () => {
  test('is held to each pair of MAC address and address, and to the link-local address of each MAC address', async () => {
    const allowedAddressPairs = [{ macAddress: 'FA:16:3E:00:00:02', ipAddress: '10.9.0.0/24' }];
    const flows = await flowsOf([], { tables: [71], port: { allowedAddressPairs } });
    const sent = flows.filter(({ priority }) => priority === 65);
    const own = 'reg5="tap-p1",in_port="tap-p1"';
    expectFlows(sent, {
      'br-int': `
        table=71,priority=65,ip,${own},dl_src=fa:16:3e:00:00:01,nw_src=10.1.0.5 actions=ct(table=72,zone=NXM_NX_REG6[0..15])
        table=71,priority=65,ip,${own},dl_src=fa:16:3e:00:00:02,nw_src=10.9.0.0/24 actions=ct(table=72,zone=NXM_NX_REG6[0..15])
        table=71,priority=65,ipv6,${own},dl_src=fa:16:3e:00:00:01,ipv6_src=fe80::f816:3eff:fe00:1 actions=ct(table=72,zone=NXM_NX_REG6[0..15])
        table=71,priority=65,ipv6,${own},dl_src=fa:16:3e:00:00:02,ipv6_src=fe80::f816:3eff:fe00:2 actions=ct(table=72,zone=NXM_NX_REG6[0..15])`,
    });
  });

  test('is any address under a MAC address whose pair is a /0', async () => {
    const allowedAddressPairs = [{ macAddress: 'fa:16:3e:00:00:01', ipAddress: '0.0.0.0/0' }];
    const flows = await flowsOf([], { tables: [71], port: { allowedAddressPairs, fixedIps: [] } });
    const own = 'reg5="tap-p1",in_port="tap-p1",dl_src=fa:16:3e:00:00:01';
    expectFlows(
      flows.filter(
        ({ priority, match }) =>
          priority >= 65 && (match.eth_type === 0x0806 || (match.eth_type === 0x0800 && priority === 65)),
      ),
      {
        'br-int': `
        table=71,priority=95,arp,${own} actions=resubmit(,94)
        table=71,priority=65,ip,${own} actions=ct(table=72,zone=NXM_NX_REG6[0..15])`,
      },
    );
  });

  test('neighbour advertisements speak for its own addresses from its own MAC address', async () => {
    const flows = await flowsOf([], { tables: [71], port: { fixedIps: [] } });
    expectFlows(
      flows.filter(({ match }) => match.icmpv6_type === 136),
      {
        'br-int':
          'table=71,priority=95,icmp6,reg5="tap-p1",in_port="tap-p1",dl_src=fa:16:3e:00:00:01,icmp_type=136,nd_target=fe80::f816:3eff:fe00:1 actions=resubmit(,94)',
      },
    );
  });

  test('is no DHCP answer and no router advertisement', async () => {
    const flows = await flowsOf([{ direction: 'egress' }], { tables: [71] });
    const own = 'reg5="tap-p1",in_port="tap-p1"';
    expectFlows(
      flows.filter(({ priority }) => priority === 70),
      {
        'br-int': `
          table=71,priority=70,udp,${own},tp_src=67,tp_dst=68 actions=resubmit(,93)
          table=71,priority=70,udp6,${own},tp_src=547,tp_dst=546 actions=resubmit(,93)
          table=71,priority=70,icmp6,${own},icmp_type=134 actions=resubmit(,93)`,
      },
    );
  });

  test('may be of an ethertype that is permitted, both ways', async () => {
    const flows = await flowsOf([], { tables: [71, 81], options: { permitted_ethertypes: '0x4008' } });
    expectFlows(
      flows.filter(({ match }) => match.eth_type === 0x4008),
      {
        'br-int': `
          table=71,priority=95,dl_type=0x4008,reg5="tap-p1" actions=resubmit(,94)
          table=81,priority=100,dl_type=0x4008,reg5="tap-p1" actions=output:"tap-p1"`,
      },
    );
  });
});

describe('a port that is not filtered', () => {
  const TRUSTED = `
    table=60,priority=100,in_port="tap-p1" actions=set_field:"tap-p1"->reg5,set_field:1->reg6,resubmit(,73)
    table=73,priority=80,reg5="tap-p1" actions=resubmit(,94)`;

  test.each<[string, Partial<PortDescription>]>([
    ['for it has no port security', { portSecurityEnabled: false }],
    ['for it is Neutron’s own', { deviceOwner: 'network:dhcp' }],
  ])('%s', async (_name, port) => {
    expectFlows(await flowsOf([{}], { tables: [60, 71, 72, 73, 81, 82, 94], port }), { 'br-int': TRUSTED });
  });

  test('asks nothing of the control plane', async () => {
    const { resources, fire } = setUp();
    resources.failing = true;
    await fire('onPortAdded', boundPort({ securityGroupIds: ['web'], portSecurityEnabled: false }));
    expect(resources.questions).toBe(0);
  });
});

describe('with explicitly_egress_direct', () => {
  const options = { explicitly_egress_direct: true };

  test('what has been let out goes to the port that owns its destination, or out by its network’s uplink', async () => {
    const { resources, fire, view, jobs, desired } = setUp({ options });
    resources.groups.set('web', group('web', []));
    view.addPort(portRow({ name: 'patch-tun', externalIds: { 'patchbay-uplink': '(tunnels)' } }));
    await jobs.settle();
    await fire('onPortAdded', boundPort({ securityGroupIds: ['web'] }));
    const mac = 'fa:16:3e:00:00:01';
    expectFlows(
      desired.flows('port/p1').filter(({ table }) => table === 94),
      {
        'br-int': `
          table=94,priority=12,reg6=1,dl_dst=${mac} actions=output:"tap-p1"
          table=94,priority=12,reg6=0,dl_vlan=1,dl_dst=${mac} actions=pop_vlan,output:"tap-p1"
          table=94,priority=10,reg6=1,dl_src=${mac},dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=mod_vlan_vid:1,output:"patch-tun"`,
      },
    );
  });

  test('what comes from outside takes the same way', () => {
    const { desired } = setUp({ options });
    const [wanted] = parseFlows('br-int', 'table=60,priority=4 actions=resubmit(,94)');
    expect(desired.flows('base')).toContainEqual(wanted?.flow);
  });
});
