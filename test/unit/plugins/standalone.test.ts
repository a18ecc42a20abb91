import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ControlPlaneChange } from '@patchbay/sdk';
import { describePort, membersOf, securityGroup } from '../../../plugins/standalone/convert';
import { difference } from '../../../plugins/standalone/difference';
import { Standalone } from '../../../plugins/standalone/plugin';
import { readNetworks } from '../../../plugins/standalone/read';
import { FakeHealth, FakeLogger } from '../../support/plugin-kit';
import { FakeAnnouncer } from '../../support/port-binding-bed';

const GOOD = `
networks:
  blue: { type: vlan, segmentation_id: 100, physical_network: physnet1 }
ports:
  web:
    network: blue
    mac: FA:16:3E:00:00:01
    addresses: [10.0.0.1, "fd00::1"]
    security_groups: [web]
    allowed_address_pairs: [{ address: 10.0.9.0/24 }]
security_groups:
  web:
    rules:
      - { direction: ingress, protocol: tcp, ports: 80-443, remote_address_group: offices }
      - { direction: ingress, protocol: icmp, ports: 8 }
      - { direction: egress, ethertype: IPv6, remote_group: web }
address_groups:
  offices: [192.0.2.0/24, 198.51.100.7]
tunnel_peers:
  - { type: vxlan, address: 192.0.2.9 }
`;
const read = (text: string) => readNetworks(text, 'networks.yaml');
const refusal = (text: string): string => {
  try {
    read(text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was not refused');
};

describe('a networks file', () => {
  test('describes ports as the agent asks for them', () => {
    expect(describePort(read(GOOD), 'web')).toMatchObject({
      macAddress: 'fa:16:3e:00:00:01',
      networkId: 'blue',
      adminStateUp: true,
      binding: 'here',
      segment: { networkType: 'vlan', segmentationId: 100, physicalNetwork: 'physnet1' },
      allowedAddressPairs: [{ macAddress: 'fa:16:3e:00:00:01', ipAddress: '10.0.9.0/24' }],
    });
    expect(describePort(read(GOOD), 'nobody')).toBeUndefined();
  });

  test('gives rules in the domain’s shape', () => {
    expect(securityGroup(read(GOOD), 'web')?.rules).toMatchObject([
      { protocol: 'tcp', portRangeMin: 80, portRangeMax: 443, remoteAddressGroupId: 'offices' },
      { protocol: 'icmp', portRangeMin: 8, portRangeMax: null },
      { direction: 'egress', ethertype: 'IPv6', remoteGroupId: 'web', protocol: null },
    ]);
  });

  test('makes every address of a port a member of its groups', () => {
    expect(membersOf(read(GOOD), 'web').map(({ ipAddress }) => ipAddress)).toEqual([
      '10.0.0.1',
      'fd00::1',
      '10.0.9.0/24',
    ]);
  });

  test.each([
    [
      'a network that is not there',
      GOOD.replace('network: blue', 'network: red'),
      'networks.yaml:6: ports.web.network: there is no network red',
    ],
    [
      'a MAC that is none',
      GOOD.replace('FA:16:3E:00:00:01', 'FA:16'),
      'networks.yaml:7: ports.web.mac: expected a MAC address',
    ],
    [
      'a vlan without an id',
      GOOD.replace('segmentation_id: 100, ', ''),
      'networks.yaml:3: networks.blue.type: a vlan network needs a segmentation_id',
    ],
    ['a field that nobody knows', GOOD.replace('mac:', 'macs: x\n    mac:'), 'networks.yaml:5: ports.web'],
    [
      'a group that is not there',
      GOOD.replace('security_groups: [web]', 'security_groups: [db]'),
      'there is no security group db',
    ],
    ['YAML that is none', 'networks: {', 'networks.yaml:1'],
    ['an alias of nothing', 'networks:\n  blue: *nobody\n', 'networks.yaml:2: Unresolved alias'],
    ['a key given twice', `${GOOD}networks: {}\n`, 'networks is given twice'],
    ['a port given twice', GOOD.replace('ports:\n', 'ports:\n  web: {}\n'), 'networks.yaml:6: web is given twice'],
    ['a field given twice', GOOD.replace('mac:', 'network: blue\n    mac:'), 'network is given twice'],
  ])('is refused with line and field for %s', (_what, text, expected) => {
    expect(refusal(text)).toContain(expected);
  });

  test('that is empty describes nothing', () => {
    expect(read('')).toMatchObject({ networks: {}, ports: {} });
  });
});

describe('an edit', () => {
  const editing = (from: string, to: string) => difference(read(GOOD), read(GOOD.replace(from, to)), 'edit');

  test('of nothing changes nothing', () => {
    expect(difference(read(GOOD), read(`# a comment\n${GOOD}`), 'edit')).toEqual({
      changes: [],
      deletedNetworks: [],
      securityGroups: [],
      addedEndpoints: [],
      removedEndpoints: [],
    });
  });

  test('of a port is told as that port, and to those who count it as a member', () => {
    expect(editing('10.0.0.1,', '10.0.0.2,')).toMatchObject({
      changes: [{ kind: 'ports-changed', portIds: ['web'] }],
      securityGroups: [{ securityGroupIds: ['web'], change: 'members' }],
    });
  });

  test('of a segmentation id is told as its network', () => {
    expect(editing('segmentation_id: 100', 'segmentation_id: 101').changes).toEqual([
      { kind: 'network-changed', networkId: 'blue', cause: 'edit' },
    ]);
  });

  test('of an address group is told to the groups whose rules name it', () => {
    expect(editing('198.51.100.7', '198.51.100.8').securityGroups).toEqual([
      { securityGroupIds: ['web'], change: 'address-group' },
    ]);
  });

  test('of a tunnel peer is one that went and one that came', () => {
    expect(editing('192.0.2.9', '192.0.2.10')).toMatchObject({
      removedEndpoints: [{ ipAddress: '192.0.2.9' }],
      addedEndpoints: [{ ipAddress: '192.0.2.10' }],
    });
  });
});

describe('the standalone control plane', () => {
  let folder: string;
  let plugin: Standalone;
  const health = new FakeHealth();
  const changes: ControlPlaneChange[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'patchbay-networks-'));
    writeFileSync(join(folder, 'networks.yaml'), GOOD);
    plugin = new Standalone({ networks: join(folder, 'networks.yaml') }, new FakeAnnouncer(), health, new FakeLogger());
    await plugin.start();
    changes.length = 0;
    plugin.subscribe((change) => changes.push(change));
  });

  afterEach(() => {
    plugin.stop();
    rmSync(folder, { recursive: true });
  });

  const edited = async (text: string, until: () => boolean): Promise<void> => {
    writeFileSync(join(folder, 'networks.yaml'), text);
    while (!until()) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  test('applies an edit as it is saved', async () => {
    await edited(GOOD.replace('10.0.0.1,', '10.0.0.7,'), () => changes.length > 0);
    expect(changes).toEqual([{ kind: 'ports-changed', portIds: ['web'], cause: 'networks-file' }]);
    expect((await plugin.describePorts(['web']))[0]?.fixedIps[0]?.ipAddress).toBe('10.0.0.7');
  });

  test('takes an empty file for one that is being written', async () => {
    await edited('', () => health.conditions.has('networks'));
    expect(health.conditions.get('networks')?.detail).toContain('is empty');
    expect(await plugin.describePorts(['web'])).toHaveLength(1);
    await edited('networks: {}\n', () => !health.conditions.has('networks'));
    expect(await plugin.describePorts(['web'])).toEqual([]);
  });

  test('follows a file that is a link, whichever folder the file is in, as in a mounted ConfigMap', async () => {
    plugin.stop();
    const file = join(folder, 'linked.yaml');
    for (const release of ['one', 'two']) mkdirSync(join(folder, release));
    writeFileSync(join(folder, 'one', 'linked.yaml'), GOOD);
    writeFileSync(join(folder, 'two', 'linked.yaml'), GOOD.replace('10.0.0.1,', '10.0.0.7,'));
    symlinkSync('one', join(folder, '..data'));
    symlinkSync(join('..data', 'linked.yaml'), file);
    plugin = new Standalone({ networks: file }, new FakeAnnouncer(), health, new FakeLogger());
    await plugin.start();
    plugin.subscribe((change) => changes.push(change));
    symlinkSync('two', join(folder, '..new'));
    renameSync(join(folder, '..new'), join(folder, '..data'));
    while (changes.length === 0) await new Promise((wake) => setTimeout(wake, 10));
    expect(changes).toEqual([{ kind: 'ports-changed', portIds: ['web'], cause: 'networks-file' }]);
  });

  test('keeps the last good file when an edit is wrong, says so, and takes the next good one', async () => {
    await edited(GOOD.replace('network: blue', 'network: red'), () => health.conditions.has('networks'));
    expect(health.conditions.get('networks')?.detail).toContain('there is no network red');
    expect(await plugin.describePorts(['web'])).toHaveLength(1);
    await edited(`${GOOD}# mended\n`, () => !health.conditions.has('networks'));
    expect(health.conditions.has('networks')).toBe(false);
  });
});
