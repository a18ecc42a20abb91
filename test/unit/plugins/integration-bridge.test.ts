import { IntegrationBridgeConfig } from '../../../plugins/integration-bridge/config';
import { IntegrationBridge } from '../../../plugins/integration-bridge/plugin';
import {
  expectFlows,
  FakeDesired,
  FakeJobs,
  FakeLogger,
  FakeSwitch,
  IDENTITY,
  portRow,
} from '../../support/plugin-kit';

function setUp(options: Readonly<Record<string, unknown>> = {}) {
  const desired = new FakeDesired();
  const view = new FakeSwitch();
  const jobs = new FakeJobs();
  const config = IntegrationBridgeConfig.parse(options);
  const plugin = new IntegrationBridge(config, IDENTITY, view, desired, jobs, new FakeLogger());
  return { desired, view, jobs, plugin };
}

const patch = (name: string, peer: string) => portRow({ name }, { type: 'patch', options: { peer } });

describe('the integration bridge', () => {
  test('has the tables of the reference agent, but is closed until a port is admitted', () => {
    const { plugin, desired } = setUp();
    plugin.start();
    expectFlows(desired.flows('bridge'), {
      'br-int': `
        priority=65535,dl_vlan=4095 actions=drop
        priority=65535,dl_vlan=0,dl_type=0x8100 actions=drop
        priority=65535,dl_vlan=0,dl_type=0x88a8 actions=drop
        priority=0 actions=drop
        table=23,priority=0 actions=drop
        table=24,priority=0 actions=drop
        table=30,priority=0 actions=goto_table:58
        table=31,priority=0 actions=goto_table:58
        table=58,priority=0 actions=goto_table:59
        table=59,priority=0 actions=goto_table:60
        table=60,priority=3 actions=NORMAL
        table=62,priority=3 actions=NORMAL`,
    });
  });

  test('is made with the settings of the reference agent', () => {
    const { plugin, desired } = setUp({ bridge_mac_table_size: 1000, igmp_snooping_enable: true });
    plugin.start();
    expect(desired.records('bridge').bridges).toEqual([
      {
        name: 'br-int',
        presence: 'create',
        datapathType: 'system',
        failMode: 'secure',
        protocols: ['OpenFlow10', 'OpenFlow13', 'OpenFlow14'],
        otherConfig: {
          'mac-table-size': '1000',
          'disable-in-band': 'true',
          'mcast-snooping-disable-flood-unregistered': 'true',
        },
        mcastSnooping: true,
      },
    ]);
  });

  test("lets the operator's own ports send", () => {
    const { plugin, desired } = setUp({ admit_ports: ['mirror0'] });
    plugin.start();
    expectFlows(desired.flows('admitted/mirror0'), {
      'br-int': 'priority=1,in_port=mirror0 actions=goto_table:58',
    });
  });

  test("lets patch ports of other software's bridges send, and no longer when they are gone", async () => {
    const { plugin, desired, view, jobs } = setUp();
    view.portRows = [patch('tap-a-service', 'service')];
    plugin.start();
    await jobs.settle();
    expectFlows(desired.flows('patch/tap-a-service'), {
      'br-int': 'priority=1,in_port=tap-a-service actions=goto_table:58',
    });
    view.removePort('tap-a-service');
    expect(desired.keys()).toEqual(['bridge']);
  });

  test('admits a patch port of other software that appears later', async () => {
    const { plugin, desired, view, jobs } = setUp();
    plugin.start();
    await jobs.settle();
    view.addPort(patch('tap-a-service', 'service'));
    expect(desired.keys()).toContain('patch/tap-a-service');
  });

  test.each([
    ['a VIF', portRow({ name: 'tpi-1' }, { type: 'patch', externalIds: { 'iface-id': 'p', 'attached-mac': 'm' } })],
    ['an uplink to a provider bridge', patch('int-br-ex', 'phy-br-ex')],
    ['the uplink to the tunnel bridge', patch('patch-tun', 'patch-int')],
    ['a patch port of the agent', portRow({ name: 'x', externalIds: { 'patchbay-owner': 'y' } }, { type: 'patch' })],
    ['a port that is no patch port', portRow({ name: 'veth0' }, { type: 'system' })],
    ['a patch port of another bridge', { ...patch('phy-br-ex', 'int-br-ex'), bridge: 'br-ex' }],
  ])('leaves %s to whoever wires it', async (_what, port) => {
    const { plugin, desired, view, jobs } = setUp();
    view.portRows = [portRow({ name: 'patch-int', bridge: 'br-tun' }, { type: 'patch' }), port];
    plugin.start();
    await jobs.settle();
    expect(desired.keys()).toEqual(['bridge']);
  });

  test('lets nothing be swept before the ports are read', async () => {
    const { plugin, desired, jobs } = setUp();
    plugin.start();
    expect(desired.isComplete).toBe(false);
    await jobs.settle();
    expect(desired.isComplete).toBe(true);
  });
});
