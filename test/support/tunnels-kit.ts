import type { Announcer, ControlPlane, KeyProgress, TunnelEndpoint } from '@patchbay/sdk';
import { TunnelsConfig } from '../../plugins/tunnels/config';
import { Tunnels } from '../../plugins/tunnels/plugin';
import {
  FakeDesired,
  FakeEffects,
  FakeHealth,
  FakeHooks,
  FakeJobs,
  FakeLogger,
  FakeSwitch,
  FakeSynchronisation,
  IDENTITY,
} from './plugin-kit';

/** Answers registrations with the endpoints that a test names. */
class FakeServer {
  endpoints: TunnelEndpoint[] = [];
  readonly registered: unknown[] = [];
  away = false;

  registerTunnelEndpoint: ControlPlane['registerTunnelEndpoint'] = async (endpoint) => {
    if (this.away) throw new Error('the server does not answer');
    this.registered.push(endpoint);
    return [endpoint, ...this.endpoints].filter((each) => each.tunnelType === endpoint.tunnelType);
  };
}

export const vxlan = (ipAddress: string): TunnelEndpoint => ({ tunnelType: 'vxlan', ipAddress });

/** The plugin with everything around it, of which each part can be watched and told what to say. */
export function setUp(options: Readonly<Record<string, unknown>> = {}) {
  const desired = new FakeDesired();
  const view = new FakeSwitch();
  const effects = new FakeEffects();
  const jobs = new FakeJobs();
  const health = new FakeHealth();
  const logger = new FakeLogger();
  const server = new FakeServer();
  const synchronisation = new FakeSynchronisation();
  const fake = new FakeHooks();
  const config = TunnelsConfig.parse({ local_ip: '127.0.0.1', tunnel_types: 'vxlan', ...options });
  const controlPlane = server as unknown as ControlPlane;
  const progressed = new Set<Parameters<Announcer['onProgress']>[0]>();
  const announcer = {
    onProgress: (listener) => {
      progressed.add(listener);
      return () => progressed.delete(listener);
    },
  } as Partial<Announcer> as Announcer;
  const plugin = new Tunnels(
    config,
    IDENTITY,
    controlPlane,
    synchronisation,
    view,
    desired,
    announcer,
    effects,
    jobs,
    health,
    logger,
  );
  const start = async () => {
    plugin.tap(fake.hooks);
    plugin.start();
    await jobs.settle();
  };
  const fire = fake.fire.bind(fake);
  const progress = (key: string, progress: KeyProgress) => {
    for (const listener of progressed) listener({ plugin: 'tunnels', required: true, key, progress });
  };
  return { progress, desired, view, effects, jobs, health, logger, server, synchronisation, fake, fire, plugin, start };
}
