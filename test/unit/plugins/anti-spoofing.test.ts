import { AntiSpoofingConfig } from '../../../plugins/anti-spoofing/config';
import { AntiSpoofing } from '../../../plugins/anti-spoofing/plugin';
import { linkLocalAddress } from '../../../plugins/link-local';
import {
  boundPort,
  expectFlows,
  FakeDesired,
  FakeHooks,
  FakeJobs,
  FakeSwitch,
  FLAT_SEGMENT,
  IDENTITY,
  portRow,
  VLAN_SEGMENT,
} from '../../support/plugin-kit';

function setUp(options: Readonly<Record<string, unknown>> = {}) {
  const desired = new FakeDesired();
  const view = new FakeSwitch();
  const jobs = new FakeJobs();
  const fake = new FakeHooks();
  const plugin = new AntiSpoofing(AntiSpoofingConfig.parse(options), IDENTITY, view, desired, jobs);
  plugin.tap(fake.hooks);
  plugin.start();
  return { desired, view, jobs, fire: fake.fire.bind(fake) };
}

const PORT_1 = `
  priority=9,in_port=tap-p1,vlan_tci=0x0000/0x0fff actions=goto_table:25
  table=25,priority=2,in_port=tap-p1,dl_src=fa:16:3e:00:00:01 actions=goto_table:30`;
const ARP_1 = `
  priority=10,arp,in_port=tap-p1,vlan_tci=0x0000/0x0fff actions=goto_table:24
  table=24,priority=2,arp,in_port=tap-p1,arp_spa=10.1.0.5 actions=goto_table:25`;
const ND_1 = `
  priority=10,icmp6,in_port=tap-p1,icmp_type=136,vlan_tci=0x0000/0x0fff actions=goto_table:24
  table=24,priority=2,icmp6,in_port=tap-p1,icmp_type=136,nd_target=fe80::f816:3eff:fe00:1 actions=goto_table:58`;

describe('anti-spoofing', () => {
  test('holds a port to its MAC address, and ARP and neighbour advertisements to its addresses', async () => {
    const { desired, fire } = setUp();
    await fire('onPortAdded', boundPort());
    expectFlows(desired.flows('port/p1'), { 'br-int': PORT_1 + ARP_1 + ND_1 });
  });

  test('allows address pairs, with their MAC addresses and the link-local addresses of those', async () => {
    const { desired, fire } = setUp();
    const allowedAddressPairs = [
      { macAddress: 'FA:16:3E:00:00:02', ipAddress: '10.9.0.0/24' },
      { macAddress: 'fa:16:3e:00:00:01', ipAddress: 'fd00:1::5' },
    ];
    await fire('onPortAdded', boundPort({ allowedAddressPairs }));
    expectFlows(desired.flows('port/p1'), {
      'br-int': `${PORT_1}${ARP_1}${ND_1}
        table=25,priority=2,in_port=tap-p1,dl_src=fa:16:3e:00:00:02 actions=goto_table:30
        table=24,priority=2,arp,in_port=tap-p1,arp_spa=10.9.0.0/24 actions=goto_table:25
        table=24,priority=2,icmp6,in_port=tap-p1,icmp_type=136,nd_target=fe80::f816:3eff:fe00:2 actions=goto_table:58
        table=24,priority=2,icmp6,in_port=tap-p1,icmp_type=136,nd_target=fd00:1::5 actions=goto_table:58`,
    });
  });

  test('writes an address once, however often and with whatever prefix length it is given', async () => {
    const { desired, fire } = setUp();
    const allowedAddressPairs = [{ macAddress: 'fa:16:3e:00:00:01', ipAddress: '10.1.0.5/32' }];
    await fire('onPortAdded', boundPort({ allowedAddressPairs }));
    expectFlows(desired.flows('port/p1'), { 'br-int': PORT_1 + ARP_1 + ND_1 });
  });

  test.each([
    ['ARP', '0.0.0.0/0', PORT_1 + ND_1],
    ['neighbour advertisements', '::/0', PORT_1 + ARP_1],
  ])('does not look at %s where a pair allows every address', async (_what, ipAddress, expected) => {
    const { desired, fire } = setUp();
    const allowedAddressPairs = [{ macAddress: 'fa:16:3e:00:00:01', ipAddress }];
    await fire('onPortAdded', boundPort({ allowedAddressPairs }));
    expectFlows(desired.flows('port/p1'), { 'br-int': expected });
  });

  test('lets a port without an IPv4 address send no ARP', async () => {
    const { desired, fire } = setUp();
    await fire('onPortAdded', boundPort({ fixedIps: [] }));
    expectFlows(desired.flows('port/p1'), {
      'br-int': `${PORT_1}${ND_1}\npriority=10,arp,in_port=tap-p1,vlan_tci=0x0000/0x0fff actions=goto_table:24`,
    });
  });

  test.each([
    ['without port security', { portSecurityEnabled: false }],
    ["of Neutron's own", { deviceOwner: 'network:dhcp' }],
  ])('decides that a port %s needs no guard', async (_what, description) => {
    const { desired, fire } = setUp();
    await fire('onPortAdded', boundPort(description));
    expect(desired.records('port/p1').flows).toEqual([]);
  });

  test('takes the guard away when port security is disabled', async () => {
    const { desired, fire } = setUp();
    const previous = boundPort();
    await fire('onPortAdded', previous);
    await fire('onPortUpdated', { previous, current: boundPort({ portSecurityEnabled: false }) });
    expect(desired.flows()).toEqual([]);
  });

  test('withdraws what it stated when a port leaves or is isolated', async () => {
    const { desired, fire } = setUp();
    const bound = boundPort();
    await fire('onPortAdded', bound);
    await fire('onPortRemoved', { bound, reason: 'unplugged' });
    expect(desired.keys()).toEqual([]);
    await fire('onPortAdded', bound);
    await fire('onPortIsolated', { vif: bound.vif, reason: 'admin-down', detail: '' });
    expect(desired.keys()).toEqual([]);
  });

  test('lets nothing be swept before the agent is synchronised', async () => {
    const { desired, fire } = setUp();
    expect(desired.isComplete).toBe(false);
    await fire('onAgentSynced', { ports: 0 });
    expect(desired.isComplete).toBe(true);
  });
});

describe('explicitly_egress_direct', () => {
  const uplink = (name: string, leadsTo: string) =>
    portRow({ name }, { type: 'patch', externalIds: { 'patchbay-uplink': leadsTo } });
  const direct = (vlan: number) => `
    table=60,priority=9,in_port=tap-p1,vlan_tci=0x0000/0x1fff,dl_src=fa:16:3e:00:00:01 actions=set_field:${vlan}->reg6,resubmit(,61)
    table=61,priority=12,dl_vlan=${vlan},dl_dst=fa:16:3e:00:00:01 actions=pop_vlan,output:tap-p1
    table=61,priority=12,reg6=${vlan},dl_dst=fa:16:3e:00:00:01 actions=output:tap-p1`;
  const leaving = (vlan: number, port: string) => `
    table=62,priority=10,in_port=tap-p1,dl_src=fa:16:3e:00:00:01,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=mod_vlan_vid:${vlan},output:${port}`;
  const unguarded = { portSecurityEnabled: false };

  test('leads what comes from outside to the table of direct delivery', async () => {
    const { desired, view, jobs } = setUp({ explicitly_egress_direct: true });
    view.portRows = [uplink('int-br-ex', 'physnet1'), uplink('patch-tun', '(tunnels)'), portRow({ name: 'tap9' })];
    await jobs.settle();
    expectFlows(desired.flows('uplinks'), {
      'br-int': `
        table=61,priority=0 actions=goto_table:62
        table=60,priority=4,in_port=int-br-ex actions=goto_table:61
        table=60,priority=4,in_port=patch-tun actions=goto_table:61`,
    });
  });

  test('sends unicast to the port that owns it, or out by the uplink of the segment', async () => {
    const { desired, view, fire, jobs } = setUp({ explicitly_egress_direct: true });
    view.portRows = [uplink('int-br-ex', 'physnet1'), uplink('patch-tun', '(tunnels)')];
    await jobs.settle();
    await fire('onPortAdded', boundPort(unguarded));
    expectFlows(desired.flows('port/p1'), { 'br-int': direct(1) + leaving(1, 'patch-tun') });
    await fire('onPortAdded', boundPort(unguarded, VLAN_SEGMENT, 3));
    expectFlows(desired.flows('port/p1'), { 'br-int': direct(3) + leaving(3, 'int-br-ex') });
    await fire('onPortAdded', boundPort(unguarded, FLAT_SEGMENT, 2));
    expectFlows(desired.flows('port/p1'), { 'br-int': direct(2) });
  });

  test('uses an uplink that appears later', async () => {
    const { desired, view, fire, jobs } = setUp({ explicitly_egress_direct: true });
    await jobs.settle();
    await fire('onPortAdded', boundPort(unguarded));
    expectFlows(desired.flows('port/p1'), { 'br-int': direct(1) });
    view.addPort(uplink('patch-tun', '(tunnels)'));
    expectFlows(desired.flows('port/p1'), { 'br-int': direct(1) + leaving(1, 'patch-tun') });
    view.removePort('patch-tun');
    expectFlows(desired.flows('port/p1'), { 'br-int': direct(1) });
  });

  test('is off unless it is set', async () => {
    const { desired } = setUp();
    expect(desired.keys()).toEqual([]);
  });
});

describe('link-local addresses', () => {
  test('are made from MAC addresses by EUI-64', () => {
    expect(linkLocalAddress('fa:16:3e:1c:8b:c6')).toBe('fe80::f816:3eff:fe1c:8bc6');
  });
});
