import { STOCK } from '@patchbay/plugins';
import type { PluginClass } from '@patchbay/sdk';
import { Kit } from '@patchbay/testing';

jest.setTimeout(120_000);

const Tunnels = STOCK.tunnels as PluginClass;
const [TAKEN, FREE] = ['192.0.2.9', '192.0.2.10'];

test('an endpoint whose port a real Open vSwitch has no place for is named by health, and made once it has; others are not held up', async () => {
  const kit = await Kit.start({
    plugins: [Tunnels],
    switch: 'ovs',
    bridges: ['br-int', 'br-tun', 'br-foreign'],
    options: { tunnels: { local_ip: '127.0.0.1', tunnel_types: ['vxlan'] } },
  });
  const complaint = () => kit.health().conditions.find(({ condition }) => condition === 'endpoints')?.detail;
  const until = async (isSo: () => boolean) => {
    for (let looks = 0; !isSo() && looks < 1_000; looks++) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  try {
    // The name that the tunnel's port will have.
    await kit.plug({ name: 'vxlan-c0000209', bridge: 'br-foreign' });
    for (const ipAddress of [TAKEN, FREE]) await kit.fire.onTunnelEndpointAdded({ tunnelType: 'vxlan', ipAddress });
    await expect(kit.switch.store.progress('tunnels', `endpoint/vxlan/${FREE}`)).resolves.toEqual({ state: 'applied' });
    await until(() => complaint() !== undefined);
    expect(complaint()).toMatch(
      /^no tunnel leads to 192\.0\.2\.9 by vxlan: waits for .*vxlan-c0000209 to leave bridge br-foreign for br-tun$/,
    );

    await kit.unplug('vxlan-c0000209');

    await until(() => complaint() === undefined);
    expect(complaint()).toBeUndefined();
    await expect(kit.switch.store.progress('tunnels', `endpoint/vxlan/${TAKEN}`)).resolves.toEqual({
      state: 'applied',
    });
  } finally {
    await kit.stop();
  }
});
