/** Topics that neutron-openvswitch-agent of Zed to 2026.1 listens to: each leaves a queue `<topic>.<host>` behind. */
const NOTIFIER_TOPICS = [
  'tunnel-update',
  'tunnel-delete',
  'dvr-update',
  'l2population-update',
  'port-update',
  'port-delete',
  'network-update',
  'network-delete',
  'port_binding-deactivate',
  'port_binding-activate',
  'security_group-update',
].map((name) => `q-agent-notifier-${name}`);

const OBJECT_TOPICS = Object.entries({
  Port: ['1.7', '1.8', '1.9', '1.10', '1.11'],
  Network: ['1.1', '1.2', '1.3'],
  Subnet: ['1.1', '1.2'],
  SecurityGroup: ['1.5', '1.6'],
  SecurityGroupRule: ['1.2', '1.3'],
  AddressGroup: ['1.2'],
  QosPolicy: ['1.10'],
  Trunk: ['1.1'],
  SubPort: ['1.0'],
  Log: ['1.0'],
  LocalIPAssociation: ['1.0'],
}).flatMap(([type, versions]) => versions.map((version) => `neutron-vo-${type}-${version}`));

/** The queues that a reference agent of this host declared for itself alone. They never expire. */
export function leftQueueNames(host: string): readonly string[] {
  return [...NOTIFIER_TOPICS, ...OBJECT_TOPICS].map((topic) => `${topic}.${host}`);
}
