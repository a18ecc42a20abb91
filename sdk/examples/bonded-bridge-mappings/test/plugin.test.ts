import { aBoundSegment, describePluginContract, Kit } from '@patchbay/testing';
import { BondedBridgeMappings } from '../src/plugin';

const uplink = { bridge: 'br-bond', bond: 'bond0', members: ['nic1', 'nic2'] };
const options = { uplinks: { physnet1: uplink } };
describePluginContract(BondedBridgeMappings, { options });

describe('bonded bridge mappings', () => {
  let kit: Kit;
  beforeEach(async () => {
    kit = await Kit.start({ plugins: [BondedBridgeMappings], options: { 'acme-bonded-bridge-mappings': options } });
  });
  afterEach(() => kit.stop());

  const bond = async () => (await kit.switch.view.ports('br-bond')).find(({ name }) => name === 'bond0');

  it('makes the provider bridge and a bond of the devices on it', async () => {
    const members = (await bond())?.interfaces.map(({ name }) => name).sort();
    expect(members).toEqual(['nic1', 'nic2']);
    expect([...(kit.wants().get('uplink/physnet1')?.ports ?? [])][0]).toMatchObject({
      mode: 'balance-tcp',
      lacp: 'active',
    });
  });

  it('joins it to the integration bridge, with nothing crossing until a segment is bound', async () => {
    await expect(kit).toHaveFlows('br-int', 'table=0,priority=2,in_port="int-br-bond" actions=drop');
    await kit.fire.onSegmentBound(aBoundSegment({ segmentationId: 101 }, 7));
    await expect(kit).toHaveFlows(
      'br-int',
      `table=0,priority=2,in_port="int-br-bond" actions=drop
       table=0,priority=3,in_port="int-br-bond",dl_vlan=101 actions=set_field:4103->vlan_vid,goto_table:58`,
    );
    await expect(kit).toHaveFlows(
      'br-bond',
      `table=0,priority=0 actions=NORMAL
       table=0,priority=2,in_port="phy-br-bond" actions=drop
       table=0,priority=4,in_port="phy-br-bond",dl_vlan=7 actions=set_field:4197->vlan_vid,NORMAL`,
    );
  });

  it('writes nothing when it comes back to what it made', async () => {
    await kit.crashAndRestart();
    const { added, changed, removed, rows } = kit.switch.status().figures;
    expect({ added, changed, removed, rows }).toEqual({ added: 0, changed: 0, removed: 0, rows: 0 });
    expect((await bond())?.interfaces).toHaveLength(2);
  });
});
