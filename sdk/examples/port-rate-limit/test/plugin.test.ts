import { aPort, aRemoval, describePluginContract, Kit } from '@patchbay/testing';
import { PortRateLimit } from '../src/plugin';

const options = { packets_per_second: 1000, burst: 100 };
describePluginContract(PortRateLimit, { options, allotted: ['meter'] });

describe('the rate limit', () => {
  let kit: Kit;
  beforeEach(async () => {
    kit = await Kit.start({ plugins: [PortRateLimit], options: { 'acme-port-rate-limit': options } });
    await kit.plug({ name: 'tap-port-1' });
  });
  afterEach(() => kit.stop());

  it('takes what a port sends through a meter of its own', async () => {
    await kit.fire.onPortAdded(aPort({ id: 'port-1' }));
    await expect(kit).toHaveFlows(
      'br-int',
      'table=58,priority=200,in_port="tap-port-1" actions=meter:20000,resubmit(,59)',
    );
    const { keys } = await kit.fire.onPortUpdated({
      previous: aPort({ id: 'port-1' }),
      current: aPort({ id: 'port-1' }),
    });
    expect(keys).toEqual([expect.objectContaining({ progress: { state: 'applied' } })]);
  });

  it('gives each port another meter, and the same one after a crash', async () => {
    await kit.fire.onPortAdded(aPort({ id: 'port-1' }));
    await kit.fire.onPortAdded(aPort({ id: 'port-2' }));
    const meters = () => [...kit.wants().values()].flatMap((records) => records.meters ?? []).map((one) => one.meter);
    expect(meters()).toEqual([20000, 20001]);
    await kit.crashAndRestart();
    await kit.fire.onPortAdded(aPort({ id: 'port-2' }));
    expect(meters()).toEqual([20001]);
  });

  it('leaves ports of the network itself alone', async () => {
    await kit.fire.onPortAdded(aPort({ id: 'port-1', port: { deviceOwner: 'network:dhcp' } }));
    expect(kit).toWantFlows('br-int', '');
  });

  it('counts limited ports in its metrics', async () => {
    await kit.fire.onPortAdded(aPort({ id: 'port-1' }));
    expect(await kit.metrics()).toContain('patchbay_acme_port_rate_limit_ports 1');
    await kit.fire.onPortRemoved(aRemoval({ id: 'port-1' }));
    expect(await kit.metrics()).toContain('patchbay_acme_port_rate_limit_ports 0');
  });
});
