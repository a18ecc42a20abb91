import { connect as connectSocket, type Socket } from 'node:net';
import {
  type ChangeBatch,
  type OpenVSwitchTables,
  OvsdbClient,
  type OvsdbClientOptions,
  OvsdbOperationError,
  type RowChange,
} from '../../../core/switch/ovsdb';
import { type ServerKind, startServer, type TestServer } from './servers';

const KINDS: readonly ServerKind[] = ['fake', 'standalone', 'clustered'];

jest.setTimeout(120_000);

describe.each(KINDS)('an OVSDB client and the %s server', (kind) => {
  let server: TestServer;
  const clients: OvsdbClient[] = [];

  async function connect(options: Partial<OvsdbClientOptions<OpenVSwitchTables>> = {}): Promise<OvsdbClient> {
    const client = new OvsdbClient({
      target: server.target,
      tables: {
        Open_vSwitch: ['bridges', 'next_cfg', 'cur_cfg', 'external_ids'],
        Bridge: 'all',
        Port: ['name', 'interfaces', 'tag', 'trunks', 'vlan_mode', 'other_config', 'external_ids', 'qos'],
        Interface: 'all',
        QoS: 'all',
        Queue: 'all',
      },
      backoff: { initialMs: 5, maximumMs: 20 },
      ...options,
    });
    clients.push(client);
    client.start();
    await client.ready();
    return client;
  }

  function recordChanges(client: OvsdbClient): ChangeBatch[] {
    const batches: ChangeBatch[] = [];
    client.on('changes', (batch) => batches.push(batch));
    return batches;
  }

  async function addBridge(client: OvsdbClient, name: string): Promise<void> {
    await client.transact((t) => {
      const bridge = t.insert('Bridge', { name, external_ids: { owner: 'test' } });
      t.addTo('Open_vSwitch', 'every-row', 'bridges', [bridge]);
    });
  }

  async function addPort(client: OvsdbClient, bridge: string, name: string): Promise<void> {
    await client.transact((t) => {
      const iface = t.insert('Interface', { name, type: 'internal' });
      const port = t.insert('Port', { name, interfaces: [iface] });
      t.addTo('Bridge', [['name', '==', bridge]], 'ports', [port]);
    });
  }

  beforeEach(async () => {
    server = await startServer(kind);
    if (kind === 'fake') return;
    const client = await connect();
    await client.transact((t) => t.insert('Open_vSwitch', {}));
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.stop();
    await server.close();
  });

  it('lists the databases', async () => {
    const client = await connect();
    expect(await client.listDatabases()).toContain('Open_vSwitch');
  });

  it('shows a transaction in the replica once it has resolved', async () => {
    const client = await connect();
    await addBridge(client, 'br-int');
    await addPort(client, 'br-int', 'tap1');
    const bridge = client.replica.table('Bridge').findBy('name', 'br-int');
    const port = client.replica.table('Port').findBy('name', 'tap1');
    expect(bridge?.ports).toEqual([port?._uuid]);
    expect(bridge?.external_ids).toEqual(new Map([['owner', 'test']]));
    expect(port?.tag).toBeUndefined();
    expect(port?.trunks).toEqual([]);
  });

  it('answers the uuid of an inserted row', async () => {
    const client = await connect();
    let queue: ReturnType<Parameters<Parameters<typeof client.transact>[0]>[0]['insert']> | undefined;
    const result = await client.transact((t) => {
      queue = t.insert('Queue', { external_ids: { a: 'b' } });
    });
    if (queue === undefined) throw new Error('nothing was inserted');
    expect(client.replica.table('Queue').get(result.uuidOf(queue))?.external_ids.get('a')).toBe('b');
  });

  it('tells one transaction as one batch, with old and new rows', async () => {
    const client = await connect();
    await addBridge(client, 'br-int');
    await addPort(client, 'br-int', 'tap1');
    const batches = recordChanges(client);
    await client.transact((t) => {
      t.update('Port', [['name', '==', 'tap1']], { tag: 7, trunks: [30, 10, 20] });
      t.mergeInto('Bridge', [['name', '==', 'br-int']], 'external_ids', { owner: 'other', more: 'x' });
    });
    expect(batches).toHaveLength(1);
    const port = batches[0]?.changes.find((change) => change.table === 'Port');
    expect(port).toMatchObject({ kind: 'modify', old: { tag: undefined }, new: { tag: 7, trunks: [10, 20, 30] } });
    const bridge = client.replica.table('Bridge').findBy('name', 'br-int');
    expect(bridge?.external_ids).toEqual(
      new Map([
        ['owner', 'other'],
        ['more', 'x'],
      ]),
    );
  });

  it('follows elements and keys that leave', async () => {
    const client = await connect();
    await addBridge(client, 'br-int');
    await addPort(client, 'br-int', 'tap1');
    await client.transact((t) => {
      t.update('Port', [['name', '==', 'tap1']], {
        tag: 3,
        trunks: [1, 2, 3],
        other_config: { a: '1', b: '2', c: '3' },
      });
    });
    await client.transact((t) => {
      t.update('Port', [['name', '==', 'tap1']], { tag: undefined });
      t.removeFrom('Port', [['name', '==', 'tap1']], 'trunks', [2, 4]);
      t.removeKeys('Port', [['name', '==', 'tap1']], 'other_config', ['a', 'nothing']);
      t.removeFrom('Port', [['name', '==', 'tap1']], 'other_config', { b: 'another value' });
    });
    expect(client.replica.table('Port').findBy('name', 'tap1')).toMatchObject({
      tag: undefined,
      trunks: [1, 3],
      other_config: new Map([
        ['b', '2'],
        ['c', '3'],
      ]),
    });
  });

  it('keeps a map from numbers to rows', async () => {
    const client = await connect();
    await client.transact((t) => {
      const queue = t.insert('Queue', {});
      t.insert('QoS', { type: 'linux-htb', queues: new Map([[5, queue]]) });
    });
    const [queue] = client.replica.table('Queue');
    const [qos] = client.replica.table('QoS');
    expect(qos?.queues).toEqual(new Map([[5, queue?._uuid]]));
  });

  it('sees rows go that nothing refers to any more', async () => {
    const client = await connect();
    await addBridge(client, 'br-int');
    await addPort(client, 'br-int', 'tap1');
    const port = client.replica.table('Port').findBy('name', 'tap1');
    if (port === undefined) throw new Error('no port');
    await client.transact((t) => t.removeFrom('Bridge', [['name', '==', 'br-int']], 'ports', [port._uuid]));
    expect(client.replica.table('Port').size).toBe(0);
    expect(client.replica.table('Interface').size).toBe(0);
  });

  it('is told what another client does', async () => {
    const one = await connect();
    const other = await connect();
    await addBridge(one, 'br-int');
    const row = await other.waitFor('br-int', () => other.replica.table('Bridge').findBy('name', 'br-int'));
    expect(row.name).toBe('br-int');
  });

  it('names the operation that the server refuses', async () => {
    const client = await connect();
    const failing = client.transact((t) => {
      t.comment('nothing wrong here');
      t.wait('Bridge', [['name', '==', 'br-int']], '==', [{ name: 'br-int' }], 0);
    });
    await expect(failing).rejects.toMatchObject({ index: 1, operation: 'wait', table: 'Bridge', error: 'timed out' });
  });

  it('names the commit where the sum of the operations is refused', async () => {
    const client = await connect();
    await addBridge(client, 'br-int');
    const failing = addBridge(client, 'br-int');
    await expect(failing).rejects.toMatchObject({ index: 2, operation: 'commit', error: 'constraint violation' });
    await expect(failing).rejects.toBeInstanceOf(OvsdbOperationError);
  });

  it('refuses to delete a row that another refers to', async () => {
    const client = await connect();
    await addBridge(client, 'br-int');
    const failing = client.transact((t) => t.delete('Bridge', [['name', '==', 'br-int']]));
    await expect(failing).rejects.toMatchObject({ error: 'referential integrity violation' });
    expect(client.replica.table('Bridge').size).toBe(1);
  });

  it('waits inside the server until another client has done something', async () => {
    const one = await connect();
    const other = await connect();
    const waiting = one.transact((t) => {
      t.wait('Bridge', [['name', '==', 'br-ex']], '==', [{ name: 'br-ex' }], 60_000);
    });
    await addBridge(other, 'br-ex');
    await waiting;
    expect(other.replica.table('Bridge').size).toBe(1);
  });

  it('counts the rows that an operation found, and reads inside a transaction', async () => {
    const client = await connect();
    let none = { index: -1 };
    let read = { index: -1 };
    const result = await client.transact((t) => {
      none = t.update('Bridge', [['name', '==', 'absent']], { fail_mode: 'secure' });
      t.calculate('Open_vSwitch', 'every-row', 'next_cfg', '+=', 2);
      read = t.select('Open_vSwitch', 'every-row', ['next_cfg']);
    });
    expect(result.countOf(none)).toBe(0);
    expect(result.rowsOf(read)).toEqual([{ next_cfg: 2 }]);
  });

  it('gives a lock to one and then to the next', async () => {
    const one = await connect();
    const other = await connect();
    const first = one.lock('agent');
    await first.held(60_000);
    const second = other.lock('agent');
    await expect(other.transact((t) => t.assertLock('agent'))).rejects.toMatchObject({ error: 'not owner' });
    await first.release();
    await second.held(60_000);
    await expect(other.transact((t) => t.assertLock('agent'))).resolves.toBeDefined();
  });

  it('takes a lock by stealing, and its owner learns of it and gets it back', async () => {
    const one = await connect();
    const other = await connect();
    const mine = one.lock('agent');
    await mine.held(60_000);
    const states: string[] = [];
    mine.onState((state) => states.push(state));
    const thief = other.lock('agent', 'steal');
    await thief.held(60_000);
    await thief.release();
    await mine.held(60_000);
    expect(states).toEqual(['lost', 'held']);
  });

  it('comes back after a restart, holds its lock again and tells nothing where nothing changed', async () => {
    const client = await connect();
    await addBridge(client, 'br-int');
    const lock = client.lock('agent');
    await lock.held(60_000);
    const batches = recordChanges(client);
    const back = new Promise((resolve) => client.on('resynchronised', resolve));
    await server.restart();
    await back;
    await lock.held(60_000);
    expect(batches).toEqual([]);
    expect(client.replica.table('Bridge').findBy('name', 'br-int')).toBeDefined();
  });

  it('continues after a lost connection where the server keeps a history, and compares where it does not', async () => {
    const path = server.target.slice('unix:'.length);
    const sockets: Socket[] = [];
    let isReachable = true;
    const target = (): Socket => {
      const socket = connectSocket(isReachable ? path : `${path}.away`);
      sockets.push(socket);
      return socket;
    };
    const away = await connect({ target, backoff: { initialMs: 100, maximumMs: 100, jitter: 0 } });
    const present = await connect();
    // ovsdb-server keeps no more history than the database is large.
    const ballast = new Map(Array.from({ length: 500 }, (_, key) => [`key ${key}`, 'value']));
    await present.transact((t) => t.insert('Queue', { external_ids: ballast }));
    await addBridge(present, 'br-int');
    await addPort(present, 'br-int', 'tap1');
    await away.waitFor('tap1', () => away.replica.table('Port').findBy('name', 'tap1'));
    const batches = recordChanges(away);
    const back = new Promise((resolve) => away.on('resynchronised', resolve));
    isReachable = false;
    sockets[0]?.destroy();
    await present.transact((t) => t.update('Port', [['name', '==', 'tap1']], { tag: 4, trunks: [5, 6] }));
    isReachable = true;
    expect(await back).toEqual({ by: kind === 'standalone' ? 'compared' : 'continued', changes: 1 });
    expect(batches).toMatchObject([
      { cause: 'resynchronised', changes: [{ kind: 'modify', table: 'Port', new: { tag: 4, trunks: [5, 6] } }] },
    ]);
  });

  it('tells after a restart just what happened meanwhile', async () => {
    const away = await connect({ backoff: { initialMs: 300, maximumMs: 300, jitter: 0 } });
    const present = await connect({ backoff: { initialMs: 1, maximumMs: 5 } });
    await addBridge(present, 'br-int');
    await addBridge(present, 'br-tun');
    await away.waitFor('br-tun', () => away.replica.table('Bridge').findBy('name', 'br-tun'));
    const changes: RowChange[] = [];
    away.on('changes', (batch) => changes.push(...batch.changes));
    const lost = new Promise((resolve) => away.on('disconnected', resolve));
    const back = new Promise((resolve) => present.on('resynchronised', resolve));
    await server.restart();
    await lost;
    await back;
    await present.transact((t) => t.update('Bridge', [['name', '==', 'br-int']], { fail_mode: 'secure' }));
    await addBridge(present, 'br-ex');
    await away.waitFor('br-ex', () => away.replica.table('Bridge').findBy('name', 'br-ex'));
    const told = changes.flatMap((change) => (change.table === 'Bridge' ? [[change.kind, nameOf(change)]] : []));
    expect(told).toHaveLength(2);
    expect(told).toEqual(
      expect.arrayContaining([
        ['modify', 'br-int'],
        ['insert', 'br-ex'],
      ]),
    );
  });
});

function nameOf(change: RowChange): unknown {
  return change.kind === 'delete' ? change.old.name : change.new.name;
}
