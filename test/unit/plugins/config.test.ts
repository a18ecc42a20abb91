import { AntiSpoofingConfig } from '../../../plugins/anti-spoofing/config';
import { BridgeMappingsConfig } from '../../../plugins/bridge-mappings/config';
import { HeartbeatConfig } from '../../../plugins/heartbeat/config';
import { IntegrationBridgeConfig } from '../../../plugins/integration-bridge/config';
import { LocalVlanConfig } from '../../../plugins/local-vlan/config';
import { NeutronConfig } from '../../../plugins/neutron/config';
import { PortBindingConfig } from '../../../plugins/port-binding/config';
import { StandaloneConfig } from '../../../plugins/standalone/config';
import { TunnelsConfig } from '../../../plugins/tunnels/config';

const messages = (result: { error?: { issues: readonly { message: string }[] } | undefined }): string[] =>
  (result.error?.issues ?? []).map((issue) => issue.message);

describe('options of the stock plugins', () => {
  test.each([
    ['integration-bridge', IntegrationBridgeConfig],
    ['bridge-mappings', BridgeMappingsConfig],
    ['tunnels', TunnelsConfig],
    ['local-vlan', LocalVlanConfig],
    ['port-binding', PortBindingConfig],
    ['anti-spoofing', AntiSpoofingConfig],
    ['heartbeat', HeartbeatConfig],
    ['neutron', NeutronConfig],
  ])('%s needs no option at all', (_id, schema) => {
    expect(schema.safeParse({}).success).toBe(true);
  });

  test('standalone needs its networks, as a path or inline', () => {
    expect(StandaloneConfig.safeParse({}).success).toBe(false);
    expect(StandaloneConfig.safeParse({ networks: 'networks.yaml' }).success).toBe(true);
    expect(StandaloneConfig.safeParse({ networks: { networks: [] } }).success).toBe(true);
  });

  test('an option that a plugin does not have is refused', () => {
    expect(TunnelsConfig.safeParse({ local_ipp: '192.0.2.1' }).success).toBe(false);
  });
});

describe('bridge_mappings', () => {
  test('reads the text of an ini file', () => {
    expect(BridgeMappingsConfig.parse({ bridge_mappings: 'physnet1:br-ex, physnet2 : br-vlan,' })).toMatchObject({
      bridge_mappings: { physnet1: 'br-ex', physnet2: 'br-vlan' },
    });
  });

  test('reads a map', () => {
    expect(BridgeMappingsConfig.parse({ bridge_mappings: { physnet1: 'br-ex' } })).toMatchObject({
      bridge_mappings: { physnet1: 'br-ex' },
    });
  });

  test.each([
    ['physnet1', 'no colon'],
    ['physnet1:', 'nothing after'],
    [':br-ex', 'nothing before'],
    ['a:b:c', 'more than one colon'],
    ['a:br1,a:br2', 'a second time'],
    ['a:br1,b:br1', 'a bridge serves one physical network'],
    ['a:a-bridge-name-too-long', 'at most 15'],
  ])('refuses %s and says: %s', (text, mistake) => {
    expect(messages(BridgeMappingsConfig.safeParse({ bridge_mappings: text })).join()).toContain(mistake);
  });
});

describe('tunnels', () => {
  test('takes IPv4 and IPv6 endpoints', () => {
    expect(TunnelsConfig.safeParse({ local_ip: '192.0.2.1', tunnel_types: 'vxlan,gre' }).success).toBe(true);
    expect(TunnelsConfig.safeParse({ local_ip: '2001:db8::1', tunnel_types: ['geneve'] }).success).toBe(true);
  });

  test('refuses a tunnel type that there is none of', () => {
    expect(TunnelsConfig.safeParse({ local_ip: '192.0.2.1', tunnel_types: ['stt'] }).success).toBe(false);
  });

  test('refuses tunnel types without an endpoint', () => {
    expect(messages(TunnelsConfig.safeParse({ tunnel_types: ['vxlan'] })).join()).toContain('local_ip must be');
  });

  test('refuses an endpoint that is no address', () => {
    expect(messages(TunnelsConfig.safeParse({ local_ip: '192.0.2.1/24' })).join()).toContain('without a prefix length');
  });
});

describe('heartbeat', () => {
  test('reads bandwidth tuples as Neutron does: a rate that is left out is null', () => {
    expect(
      HeartbeatConfig.parse({ resource_provider_bandwidths: 'eth0:10000:9000,eth1::10000,eth2::,eth3' })
        .resource_provider_bandwidths,
    ).toEqual({
      eth0: { egress: 10000, ingress: 9000 },
      eth1: { egress: null, ingress: 10000 },
      eth2: { egress: null, ingress: null },
      eth3: { egress: null, ingress: null },
    });
  });

  test('reads inventory defaults as numbers', () => {
    expect(
      HeartbeatConfig.parse({ resource_provider_inventory_defaults: { allocation_ratio: '1.5', min_unit: '2' } })
        .resource_provider_inventory_defaults,
    ).toEqual({ allocation_ratio: 1.5, min_unit: 2 });
  });

  test.each([
    ['br-ex:1', 'expected name:egress:ingress'],
    ['br-ex:-1:2', 'not negative'],
    ['br-ex:1:2,br-ex:3:4', 'listed twice'],
  ])('refuses the bandwidth %s and says: %s', (text, mistake) => {
    expect(messages(HeartbeatConfig.safeParse({ resource_provider_bandwidths: text })).join()).toContain(mistake);
  });

  test('refuses packet rates both with and without direction', () => {
    const both = {
      resource_provider_packet_processing_with_direction: ':1:1',
      resource_provider_packet_processing_without_direction: ':1',
    };
    expect(messages(HeartbeatConfig.safeParse(both)).join()).toContain('set one of the two');
  });
});

test('a pool of local VLANs that is empty is refused', () => {
  expect(LocalVlanConfig.safeParse({ first: 10, last: 5 }).success).toBe(false);
});

test('a message broker other than RabbitMQ is refused', () => {
  expect(messages(NeutronConfig.safeParse({ transport_url: 'amqp://h' })).join()).toContain('other transports');
});
