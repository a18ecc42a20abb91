import {
  decodePush,
  decodeVersionedObject,
  encodeVersionedObject,
  type Port,
  type QosPolicy,
  type Trunk,
} from '../../../core/rpc';
import { recorded, recordedMessages } from '../../support/recorded-messages';

const inner = (name: string) => JSON.parse(recorded(name).body['oslo.message']);
const push = (name: string) => decodePush(inner(name).args);
const pushes = recordedMessages
  .filter(({ body }) => body['oslo.message'].includes('"method": "push"'))
  .map(({ name }) => name);

describe('versioned objects', () => {
  it.each(pushes)('in the recorded %s become plain data', (name) => {
    for (const { object } of push(name).objects) expect(JSON.stringify(object)).not.toContain('versioned_object');
  });

  it('of a port have their bindings, addresses and segments nested', () => {
    const port = push('port-push').objects[0]?.object as unknown as Port;
    expect(port.bindings[0]).toMatchObject({
      host: 'host1',
      vif_type: 'ovs',
      profile: {},
      vif_details: { port_filter: true, bridge_name: 'br-int' },
    });
    expect(port.fixed_ips.map(({ ip_address }) => ip_address)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^10\.1\.0\./)]),
    );
    expect(port.binding_levels[0]?.segment).toMatchObject({ network_type: 'vxlan', physical_network: null });
    expect(port).toMatchObject({ hints: null, trusted: null, numa_affinity_policy: null });
  });

  it('of a QoS policy carry the kind of each rule', () => {
    const policy = decodeVersionedObject(inner('qos-policy-reply').result).object as unknown as QosPolicy;
    expect(policy.rules).toMatchObject([
      { rule_type: 'bandwidth_limit', max_kbps: 10000, direction: 'egress' },
      { rule_type: 'bandwidth_limit', max_kbps: 20000, direction: 'ingress' },
      { rule_type: 'dscp_marking', dscp_mark: 26 },
    ]);
  });

  it('of a trunk carry its sub-ports', () => {
    const trunk = push('trunk-push').objects[0]?.object as unknown as Trunk;
    expect(Array.isArray(trunk.sub_ports)).toBe(true);
  });

  it('that were deleted come with what the server sent, and nothing filled in', () => {
    const { event, objects } = push('port-deleted-push');
    expect(event).toBe('deleted');
    expect(Object.keys(objects[0]?.object ?? {}).sort()).toEqual([
      'id',
      'qos_network_policy_id',
      'qos_policy_id',
      'security_group_ids',
    ]);
  });

  it('keep fields that a newer server adds', () => {
    const primitive = encodeVersionedObject('Network', { id: 'n', pvlan: true }, '1.3');
    expect(decodeVersionedObject(primitive)).toMatchObject({
      type: 'Network',
      version: '1.3',
      object: { id: 'n', pvlan: true },
    });
  });

  it('of an unknown type keep their fields as they came', () => {
    const unknown = encodeVersionedObject('Novelty', { id: 'x', parts: [encodeVersionedObject('Part', { a: 1 })] });
    expect(decodeVersionedObject(unknown).object).toEqual({ id: 'x', parts: [{ a: 1 }] });
  });

  it('read the hints of port 1.8 from their JSON text', () => {
    const primitive = inner('port-push').args.resource_list[0];
    primitive['versioned_object.data'].hints = '{"openvswitch": {"other_config": {"tx-steering": "hash"}}}';
    expect(decodeVersionedObject(primitive).object.hints).toEqual({
      openvswitch: { other_config: { 'tx-steering': 'hash' } },
    });
  });

  it.each([
    ['network_id', undefined, 'missing-field', 'network_id'],
    ['mac_address', null, 'missing-field', 'mac_address'],
    ['admin_state_up', 'yes', 'wrong-type', 'admin_state_up'],
    ['security_group_ids', [1], 'wrong-type', 'security_group_ids'],
    ['revision_number', 1.5, 'wrong-type', 'revision_number'],
    ['fixed_ips', {}, 'wrong-type', 'fixed_ips'],
  ])('of a port whose %s is %j are refused by field', (name, value, problem, field) => {
    const primitive = inner('port-push').args.resource_list[0];
    primitive['versioned_object.data'][name] = value;
    if (value === undefined) delete primitive['versioned_object.data'][name];
    expect(() => decodeVersionedObject(primitive)).toThrow(expect.objectContaining({ problem, type: 'Port', field }));
  });

  it('name the path of a nested field that is missing or malformed', () => {
    const missing = inner('port-push').args.resource_list[0];
    delete missing['versioned_object.data'].fixed_ips[1]['versioned_object.data'].ip_address;
    expect(() => decodeVersionedObject(missing)).toThrow(expect.objectContaining({ field: 'fixed_ips[1].ip_address' }));
    const broken = inner('port-push').args.resource_list[0];
    broken['versioned_object.data'].bindings[0]['versioned_object.data'].profile = '{';
    expect(() => decodeVersionedObject(broken)).toThrow(
      expect.objectContaining({ problem: 'not-json', field: 'bindings[0].profile' }),
    );
  });

  it.each([null, 'x', {}, { 'versioned_object.name': 'Port' }])('are not made of %j', (primitive) => {
    expect(() => decodeVersionedObject(primitive)).toThrow(expect.objectContaining({ problem: 'not-an-object' }));
  });

  it('in a push of no known event are refused', () => {
    expect(() => decodePush({ event_type: 'renamed', resource_list: [] })).toThrow(
      expect.objectContaining({ field: 'event_type' }),
    );
    expect(() => decodePush({ event_type: 'updated' })).toThrow(expect.objectContaining({ field: 'resource_list' }));
  });
});
