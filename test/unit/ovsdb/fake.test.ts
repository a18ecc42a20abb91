import { OvsdbClient } from '../../../core/switch/ovsdb';
import { FakeOvsdbServer, FULL_VSWITCHD } from '../../../core/switch/ovsdb/fake';

describe('the OVSDB server in memory', () => {
  let server: FakeOvsdbServer;
  let client: OvsdbClient;

  beforeEach(async () => {
    server = new FakeOvsdbServer();
    client = new OvsdbClient({
      target: () => server.connect(),
      tables: { Open_vSwitch: 'all', Bridge: 'all', Port: 'all', Interface: 'all', Mirror: 'all' },
    });
    client.start();
    await client.ready();
  });

  afterEach(async () => {
    await client.stop();
    await server.close();
  });

  async function addBridge(name: string, ports: readonly string[]): Promise<void> {
    await client.transact((t) => {
      const rows = ports.map((port) =>
        t.insert('Port', { name: port, interfaces: [t.insert('Interface', { name: port, type: 'internal' })] }),
      );
      t.addTo('Open_vSwitch', 'every-row', 'bridges', [t.insert('Bridge', { name, ports: rows })]);
    });
  }

  it('plays the switch from when it is told to, and catches up', async () => {
    await addBridge('br-int', ['br-int', 'tap1']);
    expect(client.replica.table('Interface').findBy('name', 'tap1')?.ofport).toBeUndefined();
    server.vswitchd.play(FULL_VSWITCHD);
    const row = await client.waitFor('tap1', () => {
      const found = client.replica.table('Interface').findBy('name', 'tap1');
      return found?.ofport === undefined ? undefined : found;
    });
    expect(row).toMatchObject({ ofport: 1, link_state: 'up', admin_state: 'up' });
    expect(client.replica.table('Bridge').findBy('name', 'br-int')?.datapath_id).toHaveLength(16);
  });

  it('drops a row that nothing refers to in the transaction that inserts it', async () => {
    await client.transact((t) =>
      t.insert('Port', { name: 'stray', interfaces: [t.insert('Interface', { name: 'stray' })] }),
    );
    expect(server.rows('Port')).toEqual([]);
    expect(server.rows('Interface')).toEqual([]);
  });

  it('takes a removed port out of the mirrors that select it', async () => {
    await addBridge('br-int', ['br-int', 'tap1']);
    const port = client.replica.table('Port').findBy('name', 'tap1');
    if (port === undefined) throw new Error('no port');
    await client.transact((t) => {
      const mirror = t.insert('Mirror', { name: 'm', select_src_port: [port._uuid], output_port: port._uuid });
      t.addTo('Bridge', [['name', '==', 'br-int']], 'mirrors', [mirror]);
    });
    await client.transact((t) => t.removeFrom('Bridge', [['name', '==', 'br-int']], 'ports', [port._uuid]));
    expect([...client.replica.table('Mirror')]).toMatchObject([{ select_src_port: [], output_port: undefined }]);
  });

  it('refuses a second row where a table holds one', async () => {
    const failing = client.transact((t) => t.insert('Open_vSwitch', {}));
    await expect(failing).rejects.toMatchObject({ operation: 'commit', error: 'constraint violation' });
  });

  it('keeps nothing of a transaction that fails', async () => {
    const failing = client.transact((t) => {
      t.calculate('Open_vSwitch', 'every-row', 'next_cfg', '+=', 1);
      t.assertLock('not mine');
    });
    await expect(failing).rejects.toMatchObject({ index: 1, operation: 'assert', error: 'not owner' });
    expect(server.rows('Open_vSwitch')).toMatchObject([{ next_cfg: 0 }]);
  });
});
