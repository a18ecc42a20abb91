import type { AmqpConnection } from './amqp';
import { describe } from './errors';
import { NOT_FOUND, onOwnChannel, PRECONDITION_FAILED, replyCode } from './topology';

/** What neutron-openvswitch-agent listens to, whatever its extensions. */
const AGENT_TOPICS = [
  'q-agent-notifier-tunnel-update',
  'q-agent-notifier-tunnel-delete',
  'q-agent-notifier-dvr-update',
  'q-agent-notifier-l2population-update',
  'q-agent-notifier-port-update',
  'q-agent-notifier-port-delete',
  'q-agent-notifier-network-update',
  'q-agent-notifier-network-delete',
  'q-agent-notifier-port_binding-deactivate',
  'q-agent-notifier-port_binding-activate',
  'q-agent-notifier-security_group-update',
] as const;

/** Versions of the objects the reference agent subscribes to, from Zed to 2026.1. */
const RESOURCE_VERSIONS: Readonly<Record<string, readonly string[]>> = {
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
};

/** The topic under which the server pushes objects of a type in a version. */
export function resourceTopic(type: string, version: string): string {
  return `neutron-vo-${type}-${version}`;
}

/** Names of the queues `<topic>.<host>` that the reference agent leaves on the broker; they have no expiry and fill for ever. */
export function referenceQueueNames(host: string): readonly string[] {
  const pushes = Object.entries(RESOURCE_VERSIONS).flatMap(([type, versions]) =>
    versions.map((version) => resourceTopic(type, version)),
  );
  return [...AGENT_TOPICS, ...pushes].map((topic) => `${topic}.${host}`);
}

export interface DeletionReport {
  readonly deleted: readonly string[];
  readonly absent: readonly string[];
  /** Somebody consumes them. */
  readonly inUse: readonly string[];
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

/** Deletes each queue that nobody consumes. Each on a channel of its own, because a refusal closes the channel. */
export async function deleteIfUnused(connection: AmqpConnection, names: readonly string[]): Promise<DeletionReport> {
  const deleted: string[] = [];
  const absent: string[] = [];
  const inUse: string[] = [];
  const refused: { name: string; reason: string }[] = [];
  for (const name of names) {
    try {
      // RabbitMQ deletes a missing queue without complaint, so its presence is asked first.
      await onOwnChannel(connection, async (channel) => {
        await channel.checkQueue(name);
        await channel.deleteQueue(name, { ifUnused: true });
      });
      deleted.push(name);
    } catch (reason) {
      const code = replyCode(reason);
      if (code === NOT_FOUND) absent.push(name);
      else if (code === PRECONDITION_FAILED) inUse.push(name);
      else refused.push({ name, reason: describe(reason) });
    }
  }
  return { deleted, absent, inUse, refused };
}
