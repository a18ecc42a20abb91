import { readFile } from 'node:fs/promises';
import {
  type Announcer,
  type ControlPlane,
  type ControlPlaneChange,
  type Health,
  type Logger,
  type Plugin,
  type PortDescription,
  type Provide,
  plugin,
  type ResourceView,
  reasonOf,
  Service,
  type TunnelEndpoint,
  type TunnelType,
  type Unsubscribe,
  use,
} from '@patchbay/sdk';
import { StandaloneConfig } from './config';
import { addressGroup, describePort, membersOf, network, securityGroup, tunnelEndpoints } from './convert';
import { difference } from './difference';
import { EMPTY, type NetworksDocument } from './document';
import { StandaloneErrors } from './errors';
import { mistakesOf } from './mistakes';
import { checkInline, readNetworks } from './read';
import { watchFile } from './watch';

/**
 * Standalone: the control plane of a YAML file. Networks, ports, security groups and tunnel peers are what the file says; an edit is
 * applied as it is saved, a wrong edit is refused with its line and field, and the last good file stays in force.
 *
 * Owns:  nothing on the switch.
 * Never: writes the file.
 */
@plugin({
  id: 'standalone',
  summary: 'Describes networks and ports from a YAML file',
  sdk: '^1.0.0',
  provides: [Service.controlPlane, Service.resources],
  config: StandaloneConfig,
  paths: ['networks'],
  examine: mistakesOf,
  onFailure: 'abort',
})
export class Standalone implements Plugin, ControlPlane, ResourceView {
  private document: NetworksDocument = EMPTY;
  private readonly listeners = new Set<(change: ControlPlaneChange) => void>();
  private unwatch: Unsubscribe = () => {};
  /** One edit is told before the next is read. */
  private edits: Promise<void> = Promise.resolve();

  constructor(
    @use(Service.config) private readonly config: StandaloneConfig,
    @use(Service.announcer) private readonly announcer: Announcer,
    @use(Service.health) private readonly health: Health,
    @use(Service.logger) private readonly logger: Logger,
  ) {}

  provide(provide: Provide): void {
    provide(Service.controlPlane, this);
    provide(Service.resources, this);
  }

  async start(): Promise<void> {
    const { networks } = this.config;
    if (typeof networks !== 'string') {
      this.document = checkInline(networks);
      return;
    }
    this.document = readNetworks(await textOf(networks), networks);
    this.unwatch = watchFile(networks, () => {
      this.edits = this.edits.then(() => this.reread(networks));
    });
  }

  stop(): void {
    this.unwatch();
  }

  // ── control plane ────────────────────────────────────────────────────────────────────────────────────────────────────

  async describePorts(portIds: readonly string[]): Promise<readonly PortDescription[]> {
    return portIds.flatMap((id) => describePort(this.document, id) ?? []);
  }

  async reportPorts(): Promise<{ readonly failed: readonly string[] }> {
    return { failed: [] };
  }

  async registerTunnelEndpoint({
    tunnelType,
  }: {
    readonly tunnelType: TunnelType;
  }): Promise<readonly TunnelEndpoint[]> {
    return tunnelEndpoints(this.document).filter((endpoint) => endpoint.tunnelType === tunnelType);
  }

  async reportState(): Promise<'alive'> {
    return 'alive';
  }

  forgetPort(): void {}

  subscribe(listener: (change: ControlPlaneChange) => void): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // ── resources ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async securityGroups(ids: readonly string[]) {
    return ids.flatMap((id) => securityGroup(this.document, id) ?? []);
  }

  async membersOf(securityGroupId: string) {
    return membersOf(this.document, securityGroupId);
  }

  async addressGroups(ids: readonly string[]) {
    return ids.flatMap((id) => addressGroup(this.document, id) ?? []);
  }

  async networks(ids: readonly string[]) {
    return ids.flatMap((id) => network(this.document, id) ?? []);
  }

  /** A networks file has no subnets. */
  async subnets() {
    return [];
  }

  /** What is known is what the file says. */
  forget(): void {}

  // ── edits ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private async reread(file: string): Promise<void> {
    try {
      const text = await textOf(file);
      if (text.trim() === '') throw StandaloneErrors.empty({ file });
      const edited = readNetworks(text, file);
      this.health.clear('networks');
      await this.apply(edited);
    } catch (error) {
      const message = reasonOf(error);
      this.health.report('networks', 'degraded', message);
      this.logger.error('an edit of the networks file was refused; the last good one stays', { reason: message });
    }
  }

  private async apply(edited: NetworksDocument): Promise<void> {
    const cause = 'networks-file';
    const edit = difference(this.document, edited, cause);
    this.document = edited;
    this.logger.info('the networks file was edited', {
      ports: edit.changes.length,
      securityGroups: edit.securityGroups.length,
      endpointsAdded: edit.addedEndpoints.length,
      endpointsRemoved: edit.removedEndpoints.length,
    });
    await this.announcer.event(cause, async (calls) => {
      for (const endpoint of edit.addedEndpoints) await calls.tell('onTunnelEndpointAdded', endpoint);
      for (const endpoint of edit.removedEndpoints) await calls.tell('onTunnelEndpointRemoved', endpoint);
      for (const update of edit.securityGroups) await calls.tell('onSecurityGroupUpdated', update);
    });
    for (const change of edit.changes) for (const listener of this.listeners) listener(change);
    if (edit.deletedNetworks.length === 0) return;
    await this.announcer.event(cause, async (calls) => {
      for (const networkId of edit.deletedNetworks) await calls.tell('onNetworkDeleted', { networkId });
    });
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw StandaloneErrors.unreadable({ file, reason: (error as Error).message }, error);
  }
}
