import type { SwitchChange } from '@patchbay/sdk';
import { SwitchRig } from '../../support/switch/rig';

let rig: SwitchRig;

beforeEach(async () => {
  rig = await SwitchRig.start(['br-int']);
});

afterEach(() => rig.stop());

/** Takes a port away and makes one of the same name, in one transaction, as `replace_port` of Neutron's DHCP and L3 agents does. */
function replace(name: string, order: 'new first' | 'old first'): void {
  const uuid = rig.row('Port', name)?._uuid;
  const remove = { op: 'mutate', table: 'Bridge', where: [], mutations: [['ports', 'delete', ['uuid', uuid]]] };
  const insert = [
    { op: 'insert', table: 'Interface', 'uuid-name': 'iface', row: { name } },
    { op: 'insert', table: 'Port', 'uuid-name': 'port', row: { name, interfaces: ['named-uuid', 'iface'] } },
    {
      op: 'mutate',
      table: 'Bridge',
      where: [['name', '==', 'br-int']],
      mutations: [['ports', 'insert', ['named-uuid', 'port']]],
    },
  ];
  rig.transact(order === 'new first' ? [...insert, remove] : [remove, ...insert]);
}

describe.each(['new first', 'old first'] as const)('a port replaced in one transaction, %s', (order) => {
  it('is told as gone before it is told as there', async () => {
    rig.plug('tap1');
    await rig.quiet();
    const told: SwitchChange['kind'][] = [];
    rig.side.view.watch((changes) => told.push(...changes.map(({ kind }) => kind)));
    replace('tap1', order);
    await rig.quiet();
    expect(told.filter((kind) => kind !== 'port-changed')).toEqual(['port-removed', 'port-added']);
  });
});
