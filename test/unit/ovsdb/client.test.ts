import type { Duplex } from 'node:stream';
import {
  type ChangeBatch,
  configApplied,
  type OpenVSwitchTables,
  OvsdbClient,
  type OvsdbClientOptions,
  OvsdbConnectionError,
  OvsdbTimeout,
  waitForConfig,
} from '../../../core/switch/ovsdb';
import { FakeOvsdbServer, type FakeOvsdbServerOptions, FULL_VSWITCHD } from '../../../core/switch/ovsdb/fake';

describe('an OVSDB client', () => {
  const servers: FakeOvsdbServer[] = [];
  const clients: OvsdbClient[] = [];

  function serve(options: FakeOvsdbServerOptions = {}): FakeOvsdbServer {
    const server = new FakeOvsdbServer(options);
    servers.push(server);
    return server;
  }

  function newClient(
    server: FakeOvsdbServer,
    options: Partial<OvsdbClientOptions<OpenVSwitchTables>> = {},
  ): OvsdbClient {
    const client = new OvsdbClient({
      target: () => server.connect(),
      tables: {
        Open_vSwitch: ['next_cfg', 'cur_cfg'],
        Bridge: 'all',
        Port: 'all',
        Interface: ['name', 'ofport', 'error'],
      },
      backoff: { initialMs: 1, maximumMs: 5 },
      ...options,
    });
    clients.push(client);
    client.start();
    return client;
  }

  async function connect(server: FakeOvsdbServer, options: Partial<OvsdbClientOptions<OpenVSwitchTables>> = {}) {
    const client = newClient(server, options);
    await client.ready();
    return client;
  }

  const next = (client: OvsdbClient, event: 'resynchronised' | 'disconnected' | 'attemptFailed'): Promise<unknown> =>
    new Promise((resolve) => client.on(event, resolve));

  async function addBridge(client: OvsdbClient, name: string): Promise<void> {
    await client.transact((t) => {
      const iface = t.insert('Interface', { name, type: 'internal' });
      const port = t.insert('Port', { name, interfaces: [iface] });
      t.addTo('Open_vSwitch', 'every-row', 'bridges', [t.insert('Bridge', { name, ports: [port] })]);
    });
  }

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.stop();
    for (const server of servers.splice(0)) await server.close();
  });

  it.each([
    ['monitor_cond', ['monitor_cond_since']],
    ['monitor', ['monitor_cond_since', 'monitor_cond']],
  ])('falls back to %s with an older server, and follows it all the same', async (dialect, unknownMethods) => {
    const server = serve({ unknownMethods });
    const dialects: string[] = [];
    const client = newClient(server);
    client.on('connected', (session) => dialects.push(session.dialect));
    await client.ready();
    await addBridge(client, 'br-int');
    await client.transact((t) => t.mergeInto('Bridge', [['name', '==', 'br-int']], 'external_ids', { a: 'b' }));
    expect(dialects).toEqual([dialect]);
    expect(client.replica.table('Bridge').findBy('name', 'br-int')?.external_ids).toEqual(new Map([['a', 'b']]));
  });

  it.each([
    ['continued', []],
    ['compared', ['monitor_cond_since']],
    ['compared', ['monitor_cond_since', 'monitor_cond']],
  ])('is %s after a reconnect and tells only what happened meanwhile (without %j)', async (by, unknownMethods) => {
    const server = serve({ unknownMethods });
    const client = await connect(server);
    await addBridge(client, 'br-int');
    await addBridge(client, 'br-tun');
    const batches: ChangeBatch[] = [];
    client.on('changes', (batch) => batches.push(batch));
    const back = next(client, 'resynchronised');
    server.dropSessions();
    server.database.change((draft) => {
      for (const row of server.rows('Bridge'))
        if (row.name === 'br-int') draft.put('Bridge', { ...row, fail_mode: 'secure' });
    });
    expect(await back).toEqual({ by, changes: 1 });
    expect(batches).toMatchObject([
      { cause: 'resynchronised', changes: [{ kind: 'modify', table: 'Bridge', new: { fail_mode: 'secure' } }] },
    ]);
  });

  it('tells the rows there are as the initial batch, after it said connected', async () => {
    const server = serve();
    await addBridge(await connect(server), 'br-int');
    const client = newClient(server);
    const events: string[] = [];
    client.on('connected', () => events.push('connected'));
    client.on('changes', ({ cause, changes }) => events.push(`${cause} ${changes.length}`));
    client.on('resynchronised', ({ by }) => events.push(by));
    await client.ready();
    expect(events).toEqual(['connected', 'initial 4', 'first']);
  });

  it('leaves out a column that an older server does not have, and says so', async () => {
    const schema = {
      name: 'Open_vSwitch',
      tables: { Bridge: { isRoot: true, columns: { name: { type: 'string' } } } },
    };
    const server = serve({ schema });
    const client = await connect(server, { tables: { Bridge: ['name', 'fail_mode'], CT_Zone: 'all' } });
    await client.transact((t) => t.insert('Bridge', { name: 'br-int' }));
    expect(client.missingColumns).toEqual([
      { table: 'Bridge', column: 'fail_mode' },
      { table: 'CT_Zone', column: undefined },
    ]);
    expect(client.replica.table('Bridge').size).toBe(1);
    expect(client.replica.table('CT_Zone').size).toBe(0);
  });

  it('tries again until the server is there', async () => {
    const server = serve();
    server.onConnect('refuse');
    const client = newClient(server);
    await next(client, 'attemptFailed');
    await next(client, 'attemptFailed');
    server.onConnect('accept');
    await client.ready();
    expect(client.replica.table('Open_vSwitch').size).toBe(1);
  });

  it('says why it is not ready', async () => {
    const server = serve();
    const client = newClient(server, { database: 'Nothing' });
    await next(client, 'attemptFailed');
    const error: unknown = await client.ready({ timeoutMs: 1 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OvsdbTimeout);
    expect((error as OvsdbTimeout).cause).toMatchObject({ method: 'get_schema', error: 'unknown database' });
  });

  it('refuses a transaction while there is no session', async () => {
    const server = serve();
    server.onConnect('refuse');
    const client = newClient(server);
    const failing = client.transact((t) => t.comment('x'));
    await expect(failing).rejects.toMatchObject({ reason: 'not-connected', outcome: 'not-sent' });
  });

  it('says that the outcome is unknown where the session ends before the reply', async () => {
    const server = serve();
    const client = await connect(server);
    const failing = client.transact((t) => t.wait('Bridge', 'every-row', '!=', [], 60_000));
    const rejected = expect(failing).rejects.toMatchObject({ reason: 'closed', outcome: 'unknown' });
    await new Promise((resolve) => setImmediate(resolve));
    server.dropSessions();
    await rejected;
  });

  it('gives up on a transaction in time and cancels it', async () => {
    const server = serve();
    const client = await connect(server);
    const failing = client.transact((t) => t.wait('Bridge', [['name', '==', 'x']], '==', [{ name: 'x' }], 60_000), {
      timeoutMs: 5,
    });
    await expect(failing).rejects.toBeInstanceOf(OvsdbTimeout);
    await client.listDatabases();
    expect(server.received.map(([method]) => method)).toContain('cancel');
  });

  it('rejects with the mistake of the builder and sends nothing', async () => {
    const server = serve();
    const client = await connect(server);
    await expect(client.transact((t) => t.insert('Port', { name: 'a', tag: 5000, interfaces: [] }))).rejects.toThrow(
      'Port.',
    );
    expect(server.received.filter(([method]) => method === 'transact')).toEqual([]);
  });

  it('probes a silent server and drops one that does not answer', async () => {
    const server = serve();
    server.onConnect('ignore');
    const client = newClient(server, { probeIntervalMs: 5 });
    const failed = await next(client, 'attemptFailed');
    expect(failed).toMatchObject({ error: { reason: 'inactive' } });
  });

  it('answers the echo of the server', async () => {
    const server = serve();
    const streams: Duplex[] = [];
    const sent: string[] = [];
    const client = await connect(server, {
      target: () => {
        const stream = server.connect();
        const write = stream.write.bind(stream);
        stream.write = (chunk: string) => {
          sent.push(chunk);
          return write(chunk);
        };
        streams.push(stream);
        return stream;
      },
    });
    streams[0]?.push(Buffer.from('{"method":"echo","params":["are you there"],"id":"e"}'));
    await client.listDatabases();
    expect(sent.map((text) => JSON.parse(text))).toContainEqual({ result: ['are you there'], error: null, id: 'e' });
  });

  it('starts from everything after the server sent what does not fit', async () => {
    const server = serve();
    const streams: Duplex[] = [];
    const client = await connect(server, {
      target: () => {
        const stream = server.connect();
        streams.push(stream);
        return stream;
      },
    });
    const back = next(client, 'resynchronised');
    const unknown = { Bridge: { '00000000-0000-0000-0000-000000000009': { modify: { name: 'x' } } } };
    const update = { method: 'update3', params: ['replica', server.database.transactionId, unknown], id: null };
    streams[0]?.push(Buffer.from(JSON.stringify(update)));
    expect(await back).toEqual({ by: 'compared', changes: 0 });
  });

  it('resolves when the switch has applied the configuration', async () => {
    const server = serve({ vswitchd: FULL_VSWITCHD });
    const client = await connect(server);
    await addBridge(client, 'br-int');
    await waitForConfig(client, (t) => t.update('Bridge', [['name', '==', 'br-int']], { fail_mode: 'secure' }));
    const bridge = client.replica.table('Bridge').findBy('name', 'br-int');
    expect(bridge).toMatchObject({ fail_mode: 'secure', datapath_id: '0000000000000001' });
    expect(client.replica.table('Interface').findBy('name', 'br-int')?.ofport).toBe(65534);
  });

  it('says that the switch does not follow', async () => {
    const client = await connect(serve());
    await expect(waitForConfig(client, () => undefined, { timeoutMs: 10 })).rejects.toThrow('apply configuration 1');
  });

  it('says that it cannot see what the switch has applied', async () => {
    const client = await connect(serve(), { tables: { Open_vSwitch: ['next_cfg'] } });
    await expect(configApplied(client, 1)).rejects.toThrow('cur_cfg is not among the replicated columns');
  });

  it('sees a port number appear, or the reason why there is none', async () => {
    const refusedInterfaces = new Map([['missing0', 'could not open network device missing0']]);
    const client = await connect(serve({ vswitchd: { ...FULL_VSWITCHD, refusedInterfaces } }));
    await addBridge(client, 'br-int');
    await client.transact((t) => {
      for (const [name, request] of [
        ['tap1', undefined],
        ['tap2', 77],
        ['missing0', undefined],
      ] as const) {
        const iface = t.insert('Interface', { name, ofport_request: request });
        t.addTo('Bridge', [['name', '==', 'br-int']], 'ports', [t.insert('Port', { name, interfaces: [iface] })]);
      }
    });
    const table = client.replica.table('Interface');
    const ofport = (name: string): Promise<number> => client.waitFor(name, () => table.findBy('name', name)?.ofport);
    expect([await ofport('tap1'), await ofport('tap2'), await ofport('missing0')]).toEqual([1, 77, -1]);
    expect(table.findBy('name', 'missing0')?.error).toBe('could not open network device missing0');
  });

  it('asks once for a lock on each session, also from a listener', async () => {
    const server = serve();
    const client = newClient(server);
    client.on('connected', () => client.lock('agent'));
    await client.ready();
    await client.lock('agent').held(5000);
    const back = next(client, 'resynchronised');
    server.dropSessions();
    await back;
    await client.lock('agent').held(5000);
    expect(server.received.filter(([method]) => method === 'lock')).toHaveLength(2);
  });

  it('keeps serving the other listeners when one throws', async () => {
    const client = await connect(serve());
    const thrown: unknown[] = [];
    const schedule = jest.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => {
      try {
        callback();
      } catch (error) {
        thrown.push(error);
      }
    });
    const mistake = new Error('a mistake');
    client.on('changes', () => {
      throw mistake;
    });
    const seen: ChangeBatch[] = [];
    client.on('changes', (batch) => seen.push(batch));
    await addBridge(client, 'br-int');
    schedule.mockRestore();
    expect(seen).toHaveLength(1);
    expect(thrown).toEqual([mistake]);
  });

  it('rejects everything that waits when it is stopped', async () => {
    const client = await connect(serve());
    const waiting = client.waitFor('never', () => undefined);
    const transaction = client.transact((t) => t.wait('Bridge', 'every-row', '!=', [], 60_000));
    const held = client
      .lock('a')
      .held(60_000)
      .then(() => client.lock('a', 'steal').release());
    const outcomes = Promise.allSettled([waiting, transaction]);
    await held;
    await client.stop();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'OVSDB_CONNECTION', reason: 'stopped' } });
    }
    await expect(client.ready()).rejects.toBeInstanceOf(OvsdbConnectionError);
    await expect(client.transact((t) => t.comment('x'))).rejects.toMatchObject({ reason: 'stopped' });
  });

  it('can be stopped while it is connecting, waiting or was never started', async () => {
    const server = serve();
    server.onConnect('ignore');
    await newClient(server).stop();
    server.onConnect('refuse');
    const waiting = newClient(server, { backoff: { initialMs: 60_000, maximumMs: 60_000 } });
    await next(waiting, 'attemptFailed');
    await waiting.stop();
    await new OvsdbClient({ target: 'unix:/nowhere', tables: {} }).stop();
    await newClient(server, { target: 'unix:/nowhere/db.sock' }).stop();
    expect(server.received).toEqual([]);
  });
});
