import { type PortView, providerBridges, UPLINK_MARK, UPLINK_TO_TUNNELS } from '@patchbay/sdk';
import { Kit } from '@patchbay/testing';
import { BridgeMappings } from '../../../plugins/bridge-mappings/plugin';
import { BondedBridgeMappings } from '../../../sdk/examples/bonded-bridge-mappings/src/plugin';

const port = (
  bridge: string,
  name: string,
  more: {
    readonly peer?: string;
    readonly type?: string;
    readonly leadsTo?: string;
    readonly onInterface?: string;
  } = {},
): PortView => ({
  uuid: name,
  bridge,
  name,
  tag: null,
  otherConfig: {},
  externalIds: more.leadsTo === undefined ? {} : { [UPLINK_MARK]: more.leadsTo },
  interfaces: [
    {
      name,
      type: more.type ?? 'patch',
      ofport: 1,
      error: null,
      options: more.peer === undefined ? {} : { peer: more.peer },
      externalIds: more.onInterface === undefined ? {} : { [UPLINK_MARK]: more.onInterface },
    },
  ],
});

const EX = {
  physicalNetwork: 'physnet1',
  bridge: 'br-ex',
  integrationPort: 'int-br-ex',
  providerPort: 'phy-br-ex',
};

describe('the provider bridges among ports', () => {
  it('are those that marked ports of the integration bridge lead to, by physical network and whatever their names', () => {
    const ports = [
      port('br-int', 'to-storage', { peer: 'from-int', leadsTo: 'storage' }),
      port('br-storage', 'from-int', { peer: 'to-storage' }),
      port('br-int', 'int-br-ex', { peer: 'phy-br-ex', onInterface: 'physnet1' }),
      port('br-ex', 'phy-br-ex', { peer: 'int-br-ex' }),
      port('br-ex', 'eth1', { type: 'system' }),
      port('br-int', 'tap1', { type: '' }),
    ];
    expect(providerBridges(ports)).toEqual([
      EX,
      { physicalNetwork: 'storage', bridge: 'br-storage', integrationPort: 'to-storage', providerPort: 'from-int' },
    ]);
  });

  it('do not count the tunnel bridge among them, nor patch ports that nobody marked', () => {
    const ports = [
      port('br-int', 'patch-tun', { peer: 'patch-int', leadsTo: UPLINK_TO_TUNNELS }),
      port('br-tun', 'patch-int', { peer: 'patch-tun' }),
      port('br-int', 'mirror', { peer: 'mirrored' }),
      port('br-tap', 'mirrored', { peer: 'mirror' }),
    ];
    expect(providerBridges(ports)).toEqual([]);
  });

  it('are known while only one end is joined, and not before', () => {
    const marked = port('br-int', 'int-br-ex', { leadsTo: 'physnet1' });
    expect(providerBridges([marked, port('br-ex', 'phy-br-ex')])).toEqual([]);
    expect(providerBridges([marked, port('br-ex', 'phy-br-ex', { peer: 'int-br-ex' })])).toEqual([EX]);
    const joined = port('br-int', 'int-br-ex', { peer: 'phy-br-ex', leadsTo: 'physnet1' });
    expect(providerBridges([joined, port('br-ex', 'phy-br-ex')])).toEqual([EX]);
    expect(providerBridges([joined])).toEqual([]);
  });
});

describe('the provider bridges of a switch', () => {
  it.each([
    ['the stock plugin', BridgeMappings, { 'bridge-mappings': { bridge_mappings: 'physnet1:br-ex' } }],
    [
      'one that replaces it',
      BondedBridgeMappings,
      {
        'acme-bonded-bridge-mappings': {
          uplinks: { physnet1: { bridge: 'br-ex', bond: 'bond0', members: ['nic1', 'nic2'] } },
        },
      },
    ],
  ])('that %s wired', async (_who, plugin, options) => {
    const kit = await Kit.start({ plugins: [plugin], options, bridges: ['br-int', 'br-tun', 'br-ex'] });
    try {
      await kit.settled();

      expect(providerBridges(await kit.switch.view.ports())).toEqual([EX]);
    } finally {
      await kit.stop();
    }
  });
});
