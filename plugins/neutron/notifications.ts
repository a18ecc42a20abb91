import type {
  Announcer,
  HookCalls,
  Jobs,
  Logger,
  ObjectCache,
  ObjectChange,
  SecurityGroupUpdate,
  TunnelEndpoint,
  TunnelType,
} from '@patchbay/sdk';
import { portChanges, securityGroupUpdate } from './changes';
import type { NeutronControlPlane } from './control-plane';
import type { RuleObject } from './objects';

const TUNNEL_TYPES: readonly string[] = ['vxlan', 'gre', 'geneve'];
const BACKOFF = { initialMs: 1_000, maxMs: 60_000 };

/** Turns what neutron-server pushes into facts: changes that came in one turn of the event loop are told as one. */
export class Notifications {
  private touched = new Map<SecurityGroupUpdate['change'], Set<string>>();
  private scheduled = false;

  constructor(
    private readonly announcer: Announcer,
    private readonly controlPlane: NeutronControlPlane,
    private readonly objects: ObjectCache,
    private readonly host: string,
    private readonly jobs: Jobs,
    private readonly logger: Logger,
  ) {}

  objectChanged(change: ObjectChange): void {
    for (const portChange of portChanges(change, this.host)) this.controlPlane.publish(portChange);
    if (change.type === 'Network' && change.current === undefined && change.previous !== undefined) {
      this.tell(change.cause, (calls) => calls.tell('onNetworkDeleted', { networkId: change.id }));
    }
    if (change.type === 'AddressGroup' && change.previous !== undefined) {
      this.jobs.untilDone(`address group ${change.id}`, BACKOFF, () => this.addressGroupChanged(change));
    }
    const update = securityGroupUpdate(change);
    if (update !== undefined) this.groupsTouched(update, change.cause);
  }

  async tunnelAppeared(tunnelType: unknown, ipAddress: unknown, cause: string): Promise<void> {
    const endpoint = endpointOf(tunnelType, ipAddress);
    this.controlPlane.announced(endpoint, 'there');
    await this.announcer.event(cause, (calls) => calls.tell('onTunnelEndpointAdded', endpoint));
  }

  async tunnelVanished(tunnelType: unknown, ipAddress: unknown, cause: string): Promise<void> {
    const endpoint = endpointOf(tunnelType, ipAddress);
    this.controlPlane.announced(endpoint, 'gone');
    await this.announcer.event(cause, (calls) => calls.tell('onTunnelEndpointRemoved', endpoint));
  }

  /** After an outage of the broker: endpoints that came and went meanwhile were announced to nobody. */
  async tunnelsMissed(cause: string): Promise<void> {
    for (const [tunnelType, { ipAddress, endpoints: before }] of [...this.controlPlane.registered]) {
      const now = await this.controlPlane.registerTunnelEndpoint({ tunnelType, ipAddress });
      const addresses = new Set(now.map((endpoint) => endpoint.ipAddress));
      await this.announcer.event(cause, async (calls) => {
        for (const endpoint of now) await calls.tell('onTunnelEndpointAdded', endpoint);
        for (const endpoint of before) {
          if (!addresses.has(endpoint.ipAddress)) await calls.tell('onTunnelEndpointRemoved', endpoint);
        }
      });
    }
  }

  private async addressGroupChanged(change: ObjectChange): Promise<void> {
    const rules = await this.objects.find('SecurityGroupRule', 'remote_address_group_id', change.id);
    const groups = [...new Set((rules as readonly RuleObject[]).map((rule) => rule.security_group_id))];
    if (groups.length > 0) this.groupsTouched({ securityGroupIds: groups, change: 'address-group' }, change.cause);
  }

  private groupsTouched({ securityGroupIds, change }: SecurityGroupUpdate, cause: string): void {
    const touched = this.touched.get(change) ?? new Set<string>();
    for (const id of securityGroupIds) touched.add(id);
    this.touched.set(change, touched);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.tellGroups(cause));
  }

  private tellGroups(cause: string): void {
    this.scheduled = false;
    const touched = this.touched;
    this.touched = new Map();
    this.tell(cause, async (calls) => {
      for (const [change, ids] of touched) {
        await calls.tell('onSecurityGroupUpdated', { securityGroupIds: [...ids].sort(), change });
      }
    });
  }

  /** An agent that stops takes no more events. */
  private tell(cause: string, act: (calls: HookCalls) => Promise<unknown>): void {
    this.announcer
      .event(cause, act)
      .catch((reason: unknown) => this.logger.debug('a change was told to nobody', { cause, reason: String(reason) }));
  }
}

function endpointOf(tunnelType: unknown, ipAddress: unknown): TunnelEndpoint {
  if (typeof tunnelType !== 'string' || !TUNNEL_TYPES.includes(tunnelType)) {
    throw new TypeError(`tunnel_type: expected one of ${TUNNEL_TYPES.join(', ')}, got ${JSON.stringify(tunnelType)}`);
  }
  if (typeof ipAddress !== 'string')
    throw new TypeError(`tunnel_ip: expected an address, got ${JSON.stringify(ipAddress)}`);
  return { tunnelType: tunnelType as TunnelType, ipAddress };
}
