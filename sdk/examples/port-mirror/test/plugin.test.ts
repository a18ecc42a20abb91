import { aPort, describePluginContract, Kit } from '@patchbay/testing';
import { PortMirror } from '../src/plugin';

const TOPIC = 'acme-port-mirror';
const options = { capture_port: 'capture' };
const prepare = (kit: Kit): void => {
  kit.rpc.answers.set('get_mirrors', () => ['port-1']);
};

describePluginContract(PortMirror, { options, prepare });

const MIRRORED = `
  table=60,priority=210,reg10=0x0/0x1,in_port="tap-port-1" actions=resubmit(,100),load:0x1->NXM_NX_REG10[0],resubmit(,60)
  table=100,priority=1,in_port="tap-port-1" actions=output:"capture"`;

describe('the port mirror', () => {
  let kit: Kit;
  beforeEach(async () => {
    kit = await Kit.start({ plugins: [PortMirror], options: { 'acme-port-mirror': options }, prepare });
    await kit.plug({ name: 'capture' });
    await kit.plug({ name: 'tap-port-1' });
    await kit.fire.onPortAdded(aPort({ id: 'port-1' }));
    await kit.fire.onPortAdded(aPort({ id: 'port-2' }));
  });
  afterEach(() => kit.stop());

  it('copies what the ports send that the server named at the start', async () => {
    expect(kit).toWantFlows('br-int', MIRRORED);
    await expect(kit).toHaveFlows('br-int', MIRRORED);
  });

  it('follows what the server says on the plugin’s own topic', async () => {
    await kit.rpc.notify(TOPIC, 'mirrors_changed', { port_ids: [] });
    await kit.settled();
    await expect(kit).toHaveFlows('br-int', '');
    await kit.rpc.notify(TOPIC, 'mirrors_changed', { port_ids: ['port-1'] });
    await kit.settled();
    await expect(kit).toHaveFlows('br-int', MIRRORED);
  });

  it('says which ports are mirrored to who asks on the host', async () => {
    expect(await kit.command('list')).toEqual(['port-1']);
  });

  it('uses a table of its own, whose number is kept', async () => {
    await kit.crashAndRestart();
    expect(kit.kernel.plugins().find(({ id }) => id === 'acme-port-mirror')?.tables).toEqual({ copy: 100 });
  });
});
