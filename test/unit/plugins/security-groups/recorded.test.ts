import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Flow, GroupMember } from '@patchbay/sdk';
import { boundPort, expectFlows, FLAT_SEGMENT, VLAN_SEGMENT, VXLAN_SEGMENT } from '../../../support/plugin-kit';
import { group, setUp } from '../../../support/security-groups-kit';

/**
 * What Neutron's agent (Zed) wrote for six ports, from a recording: the same rules, ports and groups here must come to the same flows,
 * but for the differences that docs/security-groups.md names.
 */
const PORTS = [
  ['3', 'fa:16:3e:23:b0:21', ['10.1.0.200', 'fd00:1::3ac'], 'web', VXLAN_SEGMENT, 1],
  ['4', 'fa:16:3e:1c:8b:c6', ['10.1.0.190', 'fd00:1::1aa'], 'web', VXLAN_SEGMENT, 1],
  ['5', 'fa:16:3e:2d:14:f3', ['10.3.0.144'], 'default', FLAT_SEGMENT, 2],
  ['6', 'fa:16:3e:b6:be:12', ['10.2.0.116'], 'default', VLAN_SEGMENT, 3],
  ['7', 'fa:16:3e:fe:a3:d7', ['10.1.0.166', 'fd00:1::d4'], 'default', VXLAN_SEGMENT, 1],
  ['8', 'fa:16:3e:63:82:b0', ['10.2.0.252'], 'default', VLAN_SEGMENT, 3],
] as const;
/** The recorded blocks of conjunction ids, by what they are for. */
const BLOCKS = {
  'web group/web ingress IPv4': 16,
  'web group/web ingress IPv6': 24,
  'default group/default ingress IPv4': 32,
  'default group/default ingress IPv6': 40,
  'web address-group/offices ingress IPv4': 48,
};
const FIREWALL = [60, 71, 72, 73, 81, 82, 91, 92, 93, 94];

function recorded(): string {
  const text = readFileSync(join(__dirname, '../../../fixtures/flows/br-int.flows'), 'utf8');
  return text
    .split('\n')
    .filter((line) => FIREWALL.includes(Number(/table=(\d+)/.exec(line)?.[1] ?? 0)))
    .filter((line) => !/table=60, (reset_counts )?priority=(101|3)\b/.test(line)) // DHCP extension, and the bridge's own NORMAL.
    .filter((line) => !/CONTROLLER/.test(line)) // Logging.
    .filter((line) => !/table=60.*(vlan_tci=|dl_vlan=101)/.test(line)) // Frames under a provider's VLAN id: none reaches table 60.
    .map((line) => line.replace(/reset_counts /, ''))
    .map((line) => line.replace(/(in_port|reg5)=(0x)?(\d)\b/g, '$1="tap-$3"'))
    .map((line) => line.replace(/output:(\d)\b/g, 'output:"tap-$1"'))
    .map((line) => line.replace(/set_field:(0x)?(\d)->reg5/, 'set_field:"tap-$2"->reg5'))
    .join('\n');
}

/** Without what goes beyond the reference on purpose. */
function comparable(flows: readonly Flow[]): readonly Flow[] {
  return flows
    .filter(({ match }) => match.eth_type !== 0x8035)
    .map((flow) => {
      if (flow.match.nd_target === undefined) return flow;
      const { eth_src: _stricter, ...match } = flow.match;
      return { ...flow, match };
    });
}

test('comes to the flows that Neutron’s agent wrote for the same ports and groups', async () => {
  const { desired, resources, store, fire } = setUp();
  store.values.set('conjunctions', JSON.stringify(BLOCKS));
  const egress = [{ direction: 'egress' } as const, { direction: 'egress', ethertype: 'IPv6' } as const];
  resources.groups.set(
    'web',
    group('web', [
      ...egress,
      { protocol: 'tcp', portRangeMin: 80, portRangeMax: 443 },
      { protocol: 'icmp' },
      { remoteGroupId: 'web' },
      { ethertype: 'IPv6', protocol: 'udp', portRangeMin: 53, portRangeMax: 53, remoteGroupId: 'web' },
      { protocol: 'tcp', portRangeMin: 22, portRangeMax: 22, remoteAddressGroupId: 'offices' },
    ]),
  );
  resources.groups.set(
    'default',
    group('default', [...egress, { remoteGroupId: 'default' }, { ethertype: 'IPv6', remoteGroupId: 'default' }]),
  );
  resources.addresses.set('offices', ['192.0.2.0/24', '198.51.100.7/32']);
  const members = (id: string, ...more: readonly GroupMember[]): readonly GroupMember[] => [
    ...PORTS.filter((port) => port[3] === id).flatMap(([portId, macAddress, addresses]) =>
      addresses.map((ipAddress) => ({ portId, macAddress, ipAddress })),
    ),
    ...more,
  ];
  const pair = { macAddress: 'fa:16:3e:23:b0:21', ipAddress: '10.1.0.174' };
  resources.members.set('web', members('web', { portId: '3', ...pair }));
  resources.members.set('default', members('default'));
  for (const [id, macAddress, addresses, groupId, segment, localVlan] of PORTS) {
    const fixedIps = addresses.map((ipAddress) => ({ subnetId: 's', ipAddress }));
    const allowedAddressPairs = id === '3' ? [pair] : [];
    const port = { id, macAddress, fixedIps, allowedAddressPairs, securityGroupIds: [groupId] };
    await fire('onPortAdded', boundPort(port, segment, localVlan));
  }
  expectFlows(comparable(desired.flows()), { 'br-int': recorded() });
});
