import type { AgentState, Announcer, ControlPlane } from '@patchbay/sdk';
import { canonicalHostName } from '../../../plugins/heartbeat/canonical-name';
import { HeartbeatConfig } from '../../../plugins/heartbeat/config';
import { Heartbeat } from '../../../plugins/heartbeat/plugin';
import {
  FakeHealth,
  FakeJobs,
  FakeLogger,
  FakeSwitch,
  FakeSynchronisation,
  IDENTITY,
  portRow,
} from '../../support/plugin-kit';

type Heard = 'new' | 'alive' | 'revived' | 'unknown';

function setUp(options: Readonly<Record<string, unknown>> = {}, contributed: Readonly<Record<string, unknown>> = {}) {
  const view = new FakeSwitch();
  const jobs = new FakeJobs();
  const health = new FakeHealth();
  const logger = new FakeLogger();
  const synchronisation = new FakeSynchronisation();
  const reports: AgentState[] = [];
  const patience: (number | undefined)[] = [];
  const server: { away: boolean; answer: Heard } = { away: false, answer: 'alive' };
  const controlPlane = {
    reportState: async (state: AgentState, options?: { readonly timeoutMs: number }) => {
      patience.push(options?.timeoutMs);
      if (server.away) throw new Error('the server does not answer');
      reports.push(state);
      return server.answer;
    },
  } as unknown as ControlPlane;
  const announcer = {
    event: async (_cause: string, act: (calls: unknown) => Promise<unknown>) => ({
      value: await act({ reportState: async () => ({ configurations: contributed }) }),
      acknowledged: async () => [],
    }),
  } as unknown as Announcer;
  const plugin = new Heartbeat(
    HeartbeatConfig.parse(options),
    IDENTITY,
    announcer,
    synchronisation,
    controlPlane,
    view,
    jobs,
    health,
    logger,
  );
  const beat = async () => {
    await jobs.periodic.get('report')?.work();
    // The job does not wait for its report, which looks the host's name up.
    const asked = patience.length;
    while (patience.length === asked) await new Promise((resolve) => setTimeout(resolve, 1));
    await jobs.settle();
  };
  return { view, jobs, health, logger, synchronisation, reports, patience, server, plugin, beat };
}

describe('the heartbeat', () => {
  test('says at once that the agent is there, and then at its interval', async () => {
    const { plugin, jobs, reports, beat } = setUp({ report_interval: 10 });
    plugin.start();
    await jobs.settle();
    expect(reports).toHaveLength(1);
    expect(jobs.periodic.get('report')?.intervalMs).toBe(10_000);
    await beat();
    expect(reports).toHaveLength(2);
  });

  test('waits for an answer no longer than until its next report is due', async () => {
    const { plugin, jobs, patience } = setUp({ report_interval: 10 });
    plugin.start();
    await jobs.settle();
    expect(patience).toEqual([10_000]);
  });

  test('reports every field that the server reads', async () => {
    const { plugin, jobs, reports, view } = setUp(
      { extensions: 'qos', resource_provider_bandwidths: 'br-ex:1000:2000' },
      {
        bridge_mappings: { physnet1: 'br-ex' },
        tunnel_types: ['vxlan'],
        tunneling_ip: '10.0.0.1',
        extensions: ['log'],
      },
    );
    view.portRows = [
      portRow({ name: 'tap1' }, { externalIds: { 'iface-id': 'p1', 'attached-mac': 'fa:16:3e:00:00:01' } }),
      portRow({ name: 'int-br-ex' }, { type: 'patch' }),
    ];
    plugin.start();
    await jobs.settle();
    const inventory = { allocation_ratio: 1, min_unit: 1, step_size: 1, reserved: 0 };
    expect(reports[0]?.configurations).toEqual({
      bridge_mappings: { physnet1: 'br-ex' },
      resource_provider_bandwidths: { 'br-ex': { egress: 1000, ingress: 2000 } },
      resource_provider_inventory_defaults: inventory,
      resource_provider_packet_processing_without_direction: {},
      resource_provider_packet_processing_with_direction: {},
      resource_provider_packet_processing_inventory_defaults: inventory,
      resource_provider_hypervisors: { 'br-ex': await canonicalHostName() },
      integration_bridge: 'br-int',
      tunnel_types: ['vxlan'],
      tunneling_ip: '10.0.0.1',
      l2_population: false,
      arp_responder_enabled: false,
      enable_distributed_routing: false,
      log_agent_heartbeats: false,
      extensions: ['qos', 'log'],
      datapath_type: 'system',
      ovs_capabilities: { datapath_types: ['netdev', 'system'], iface_types: ['patch', 'vxlan'] },
      vhostuser_socket_dir: '/var/run/openvswitch',
      ovs_hybrid_plug: false,
      baremetal_smartnic: false,
      devices: 1,
      in_distributed_mode: false,
    });
  });

  test('names the hypervisor of each provider, and this host where a packet rate names none', async () => {
    const { plugin, jobs, reports } = setUp(
      {
        resource_provider_hypervisors: 'br-ex:compute1',
        resource_provider_default_hypervisor: 'compute9',
        resource_provider_packet_processing_without_direction: ':500',
        resource_provider_bandwidths: 'rp_tunnelled:1:1',
      },
      { bridge_mappings: { physnet1: 'br-ex', physnet2: 'br-vlan' } },
    );
    plugin.start();
    await jobs.settle();
    expect(reports[0]?.configurations).toMatchObject({
      resource_provider_hypervisors: { 'br-ex': 'compute1', 'br-vlan': 'compute9', rp_tunnelled: 'compute9' },
      resource_provider_packet_processing_without_direction: { host1: { any: 500 } },
    });
  });

  test('says that the agent is starting until it is synchronised', async () => {
    const { plugin, jobs, reports, beat, synchronisation } = setUp();
    plugin.start();
    await jobs.settle();
    synchronisation.portsDone();
    await synchronisation.synced;
    await beat();
    expect(reports.map((report) => report.startFlag)).toEqual([true, false]);
  });

  test('keeps its beat while a report waits: agents that waited for one broker would report in step ever after', async () => {
    const { plugin, jobs } = setUp();
    plugin.start();
    await jobs.settle();
    expect(jobs.periodic.get('report')?.work()).toBeUndefined();
  });

  test('asks for everything again when the server had taken the agent for dead', async () => {
    const { plugin, jobs, server, synchronisation } = setUp();
    server.answer = 'revived';
    plugin.start();
    await jobs.settle();
    expect(synchronisation.requests).toHaveLength(1);
  });

  test('tries again until it is heard, says so once, and is degraded meanwhile', async () => {
    const { plugin, jobs, server, health, logger, reports, beat } = setUp();
    server.away = true;
    plugin.start();
    await jobs.retry();
    await beat();
    expect(health.conditions.get('report')?.level).toBe('degraded');
    expect(logger.of('error')).toHaveLength(1);
    server.away = false;
    await jobs.retry();
    expect(reports).toHaveLength(1);
    expect(health.conditions.size).toBe(0);
    expect(logger.of('info')).toHaveLength(1);
  });

  test('is silent while the switch cannot be reached', async () => {
    const { plugin, jobs, view, health, reports, beat } = setUp();
    view.state = { ...view.state, connected: false };
    plugin.start();
    await jobs.settle();
    expect(reports).toEqual([]);
    expect(health.conditions.get('report')?.detail).toContain('switch');
    view.state = { ...view.state, connected: true };
    await beat();
    expect(reports).toHaveLength(1);
    expect(health.conditions.size).toBe(0);
  });

  test('is off with an interval of 0', async () => {
    const { plugin, jobs, reports } = setUp({ report_interval: 0 });
    plugin.start();
    await jobs.settle();
    expect(reports).toEqual([]);
    expect(jobs.periodic.size).toBe(0);
  });
});

describe('the name of this host’s hypervisor', () => {
  const service = (found: string) => ({
    lookup: async () => ({ address: '192.0.2.7' }),
    lookupService: async () => ({ hostname: found }),
  });

  test('has the domain that the name service knows', async () => {
    expect(await canonicalHostName('compute1', service('compute1.example.org'))).toBe('compute1.example.org');
  });

  test('stays as it is where it has a domain, or its address another name', async () => {
    expect(await canonicalHostName('compute1.example.net', service('compute1.example.org'))).toBe(
      'compute1.example.net',
    );
    expect(await canonicalHostName('compute1', service('localhost'))).toBe('compute1');
  });

  test('is the plain one where the name service fails', async () => {
    const failing = { ...service(''), lookup: () => Promise.reject(new Error('ENOTFOUND')) };
    expect(await canonicalHostName('compute1', failing)).toBe('compute1');
  });
});
