import {
  type AgentIdentity,
  type Announcer,
  type Health,
  type Jobs,
  type Logger,
  type MessagingConnector,
  type Plugin,
  type Provide,
  plugin,
  type RpcConnection,
  Service,
  type Synchronisation,
  type Unsubscribe,
  use,
} from '@patchbay/sdk';
import { NeutronConfig } from './config';
import { NeutronControlPlane } from './control-plane';
import { NeutronErrors } from './errors';
import { leftQueueNames } from './left-queues';
import { Notifications } from './notifications';
import { OBJECT_VERSIONS, OTHER_ANNOUNCED_VERSIONS } from './objects';
import { NeutronResources } from './resources';

const BACKOFF = { initialMs: 1_000, maxMs: 60_000 };
/** A broker may take an agent that was killed for alive for some heartbeats. */
const IN_USE_MS = 60_000;

/**
 * Neutron: the control plane of an unmodified neutron-server, over its message broker.
 *
 * Owns:  nothing on the switch.
 * Never: waits for the server to be there; what is asked meanwhile is asked again until it answers.
 */
@plugin({
  id: 'neutron',
  summary: 'Asks neutron-server about ports and hears its notifications',
  sdk: '^1.0.0',
  provides: [Service.controlPlane, Service.resources, Service.rpc],
  config: NeutronConfig,
  onFailure: 'abort',
})
export class Neutron implements Plugin {
  private readonly rpc: RpcConnection;
  private readonly controlPlane: NeutronControlPlane;
  private readonly notifications: Notifications;
  private readonly subscriptions: Unsubscribe[] = [];

  constructor(
    @use(Service.config) config: NeutronConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.messaging) messaging: MessagingConnector,
    @use(Service.announcer) announcer: Announcer,
    @use(Service.synchronisation) private readonly synchronisation: Synchronisation,
    @use(Service.jobs) private readonly jobs: Jobs,
    @use(Service.health) private readonly health: Health,
    @use(Service.logger) private readonly logger: Logger,
  ) {
    this.rpc = messaging.connect({
      transportUrl: config.transport_url,
      controlExchange: config.control_exchange,
      host: identity.host,
      callTimeoutMs: config.rpc_response_timeout * 1000,
      maxCallTimeoutMs: config.rpc_response_max_timeout * 1000,
      rabbit: config.rabbit,
      pingEnabled: config.rpc_ping_enabled,
      objectVersions: OBJECT_VERSIONS,
      chosenVersions: config.resource_versions,
      pullStep: config.rpc_resources_processing_step,
    });
    this.controlPlane = new NeutronControlPlane(
      this.rpc,
      identity,
      { ...OTHER_ANNOUNCED_VERSIONS, ...OBJECT_VERSIONS, ...config.resource_versions },
      config.rpc_resources_processing_step,
      (types) => this.pullAnnounced(types),
    );
    this.notifications = new Notifications(announcer, this.controlPlane, this.rpc.objects, identity.host, jobs, logger);
  }

  provide(provide: Provide): void {
    provide(Service.controlPlane, this.controlPlane);
    provide(Service.resources, new NeutronResources(this.rpc.objects));
    provide(Service.rpc, this.rpc);
  }

  start(): void {
    this.rpc.open();
    this.rpc.onProblem(({ code, field, detail }) =>
      this.logger.warn('a message from the broker could not be used', { code, field, detail }),
    );
    this.subscriptions.push(
      this.rpc.objects.subscribe((change) => this.notifications.objectChanged(change)),
      this.rpc.listen(
        { topic: 'q-agent-notifier-tunnel-update', version: '1.0', fanout: true },
        {
          tunnel_update: ({ tunnel_type, tunnel_ip }, cause) =>
            this.notifications.tunnelAppeared(tunnel_type, tunnel_ip, cause),
        },
      ),
      this.rpc.listen(
        { topic: 'q-agent-notifier-tunnel-delete', version: '1.0', fanout: true },
        {
          tunnel_delete: ({ tunnel_type, tunnel_ip }, cause) =>
            this.notifications.tunnelVanished(tunnel_type, tunnel_ip, cause),
        },
      ),
      this.rpc.onRestored(() => this.catchUp('broker-restored')),
      this.synchronisation.onRequested((reason) => this.catchUp(reason)),
    );
    this.awaitServer();
    void this.synchronisation.synced.then(() => this.removeLeftQueues());
    this.jobs.every('broker', 5_000, () => this.watchBroker());
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.subscriptions.splice(0)) unsubscribe();
    await this.rpc.close();
  }

  /** What was pushed while nobody listened is pulled; every difference is told as the push would have been. */
  private catchUp(cause: string): void {
    this.jobs.untilDone('catch-up', BACKOFF, async () => {
      await this.rpc.objects.resynchronise(cause);
      await this.notifications.tunnelsMissed(cause);
    });
  }

  /** What a plugin asked for before the server knew that this host wants its pushes may have changed since. */
  private pullAnnounced(types: readonly string[]): void {
    this.jobs.untilDone(`announced ${types.join(' ')}`, BACKOFF, () =>
      this.rpc.objects.resynchronise('announced', types),
    );
  }

  private awaitServer(): void {
    this.jobs.untilDone('server', BACKOFF, async () => {
      try {
        if (!(await this.controlPlane.isServerAlive())) throw new Error('its database is away');
        this.health.report('server', 'ok', 'neutron-server answers');
      } catch (error) {
        const { detail } = await this.rpc.state();
        const failure = NeutronErrors.unansweredStart({ broker: detail, reason: (error as Error).message });
        this.health.report('server', 'failing', failure.message);
        throw failure;
      }
    });
  }

  private async watchBroker(): Promise<void> {
    const { connected, detail } = await this.rpc.state();
    if (connected) this.health.clear('broker');
    else this.health.report('broker', 'failing', detail);
  }

  /** The reference agent's queues named after this host fill for ever once it has gone. */
  private removeLeftQueues(): void {
    this.jobs.untilDone('left-queues', BACKOFF, async () => {
      const left = await this.rpc.removeUnusedQueues(leftQueueNames(this.identity.host));
      if (left.removed.length > 0) {
        this.logger.info('queues that the former agent left were removed', { queues: left.removed });
      }
      const kept = [...left.inUse, ...left.refused];
      if (kept.length === 0) this.health.clear('left-queues');
      else {
        const detail = `nobody of this agent reads these queues, and the broker keeps them: ${kept.join(', ')}`;
        this.health.report('left-queues', 'degraded', detail);
      }
      if (left.inUse.length > 0) this.jobs.after('left-queues in use', IN_USE_MS, () => this.removeLeftQueues());
    });
  }
}
