import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  conjunction,
  drop,
  type Flow,
  flow,
  gotoTable,
  meter,
  normal,
  output,
  protocol,
  toController,
} from '@patchbay/sdk/flow';
import {
  canonicalFlow,
  type FlowTableClient,
  type FlowUpdate,
  OpenFlowConnection,
  OpenFlowConnectionError,
  OpenFlowError,
  OpenFlowReconnector,
  type PacketIn,
} from '../../../core/switch/openflow';
import { FakeOpenFlowSwitch } from '../../../core/switch/openflow/fake';
import { type PrivateSwitch, startPrivateSwitch } from '../../support/private-switch';

jest.setTimeout(120_000);

const bridge = 'br0';
const tapPort = 7;
const resolvePort = (name: string) => (name === 'tap1' ? tapPort : undefined);

interface Bed {
  connect(): Promise<FlowTableClient>;
  stop(): Promise<void>;
}

async function realBed(version: number): Promise<Bed> {
  const ovs = await startPrivateSwitch();
  await ovs.vsctl(
    'add-br',
    bridge,
    '--',
    'set',
    'bridge',
    bridge,
    'protocols=[OpenFlow13,OpenFlow14]',
    'fail_mode=secure',
    'datapath_type=dummy',
  );
  await ovs.vsctl(
    'add-port',
    bridge,
    'tap1',
    '--',
    'set',
    'interface',
    'tap1',
    'type=dummy',
    `ofport_request=${tapPort}`,
  );
  const target = { kind: 'unix', path: join(ovs.runDir, `${bridge}.mgmt`) } as const;
  return {
    connect: () => OpenFlowConnection.connect({ bridge, target, resolvePort, versions: [version] }),
    stop: () => ovs.stop(),
  };
}

async function fakeBed(): Promise<Bed> {
  const fake = new FakeOpenFlowSwitch(bridge);
  fake.setPort({ port: tapPort, name: 'tap1', macAddress: '00:00:00:00:00:01', config: 0, state: 0 });
  return { connect: async () => fake.connect(resolvePort), stop: async () => fake.dropConnections() };
}

const beds: readonly (readonly [string, () => Promise<Bed>])[] = [
  ['Open vSwitch on OpenFlow 1.3', () => realBed(4)],
  ['Open vSwitch on OpenFlow 1.4', () => realBed(5)],
  ['the fake', fakeBed],
];

const add = (wanted: Flow, cookie = 1n) => ({ kind: 'flow', command: 'add', flow: wanted, cookie }) as const;
const everything = { kind: 'flow', command: 'delete', filter: {} } as const;
const inTable = (table: number) => flow({ bridge, table, priority: 1, actions: [normal] });
const poisoned = flow({ bridge, table: 9, priority: 1, match: { tcp_dst: 80 }, actions: [normal] });

/** Waits for what the switch will do; gives up before the test does. */
async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 3_000 && !condition(); attempt++) await pause(10);
  expect(condition()).toBe(true);
}

describe.each(beds)('a flow table client of %s', (_name, makeBed) => {
  let bed: Bed;
  let client: FlowTableClient;

  beforeAll(async () => {
    bed = await makeBed();
    client = await bed.connect();
  }, 120_000);

  beforeEach(() => client.bundle([everything]));

  afterAll(async () => {
    await client?.close();
    await bed?.stop();
  });

  const tables = async () => (await client.dumpFlows()).map(({ table }) => table).sort((left, right) => left - right);

  test('installs a bundle and reads it back as it was wanted', async () => {
    const wanted = [
      flow({
        bridge,
        table: 60,
        priority: 100,
        match: { in_port: { port: 'tap1' } },
        actions: [output('tap1'), gotoTable(71)],
      }),
      flow({
        bridge,
        table: 71,
        priority: 5,
        match: { ...protocol.tcp, tcp_dst: 22 },
        actions: [conjunction(2, 1, 2), conjunction(1, 1, 2)],
      }),
      flow({ bridge, table: 71, priority: 0, actions: drop, hardTimeout: 60 }),
    ];
    await client.bundle(wanted.map((one) => add(one, 77n)));
    const installed = await client.dumpFlows();
    const form = ({ key, body }: { key: string; body: string }) => JSON.stringify([key, body]);
    expect(installed.map(form).sort()).toEqual(wanted.map((one) => form(canonicalFlow(one, resolvePort))).sort());
    expect(installed.map(({ cookie }) => cookie)).toEqual([77n, 77n, 77n]);
  });

  test('changes nothing when one message of a bundle is refused, and names it', async () => {
    await client.bundle([add(inTable(1))]);
    const refusal = await client
      .bundle([add(inTable(2)), everything, add(poisoned), add(inTable(3))])
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(OpenFlowError);
    expect(refusal).toMatchObject({
      errorName: 'OFPBMC_BAD_PREREQ',
      failedIndex: 2,
      failedMessage: { flow: poisoned },
    });
    expect(await tables()).toEqual([1]);
  });

  test('names the message that fails only when the bundle is committed', async () => {
    const refusal = client.bundle([
      add(inTable(2)),
      add(flow({ bridge, table: 3, priority: 1, actions: [{ type: 'group', group: 4711 }] })),
    ]);
    await expect(refusal).rejects.toMatchObject({ errorName: 'OFPBAC_BAD_OUT_GROUP', failedIndex: 1 });
    expect(await tables()).toEqual([]);
  });

  test('names the message that cannot be encoded, and leaves the switch alone', async () => {
    await expect(
      client.bundle([add(inTable(2)), add(flow({ bridge, priority: 1, match: { in_port: { port: 'tap9' } } }))]),
    ).rejects.toMatchObject({ name: 'UnresolvedPortError', port: 'tap9', messageIndex: 1 });
    expect(await tables()).toEqual([]);
  });

  test('sends messages outside a bundle singly: those around a refused one stand', async () => {
    await expect(client.send([add(inTable(2)), add(poisoned), add(inTable(3))])).rejects.toMatchObject({
      failedIndex: 1,
    });
    expect(await tables()).toEqual([2, 3]);
  });

  test('refuses a meter in a bundle before sending it', async () => {
    const mod = {
      kind: 'meter',
      command: 'add',
      meter: { bridge, meter: 5, unit: 'kbps', bands: [{ kind: 'drop', rate: 1000 }] },
    } as const;
    await expect(client.bundle([mod])).rejects.toThrow('meter');
  });

  test('makes, reads and deletes meters, and the flows that use them go with them', async () => {
    const wanted = { bridge, meter: 5, unit: 'kbps', bands: [{ kind: 'drop', rate: 1000, burst: 100 }] } as const;
    await client.send([{ kind: 'meter', command: 'add', meter: wanted }]);
    await client.bundle([
      add(flow({ bridge, table: 58, priority: 1, actions: [meter(5), gotoTable(60)] })),
      add(inTable(1)),
    ]);
    expect(await client.dumpMeters()).toEqual([wanted]);
    await client.send([{ kind: 'meter', command: 'delete', meter: 5 }]);
    expect(await tables()).toEqual([1]);
    expect((await client.meterFeatures()).maxMeters).toBeGreaterThan(0);
  });

  test('makes and reads groups, and deletes their flows with them', async () => {
    const wanted = {
      bridge,
      group: 3,
      kind: 'all',
      buckets: [{ actions: [{ type: 'output', port: 1 }] }, { actions: [{ type: 'output', port: 2 }] }],
    } as const;
    await client.bundle([
      { kind: 'group', command: 'add', group: wanted },
      add(flow({ bridge, table: 8, priority: 1, actions: [{ type: 'group', group: 3 }] })),
    ]);
    expect(await client.dumpGroups()).toEqual([wanted]);
    await client.bundle([{ kind: 'group', command: 'delete', group: 3 }]);
    expect(await client.dumpGroups()).toEqual([]);
    expect(await tables()).toEqual([]);
  });

  test('deletes by cookie and mask', async () => {
    await client.bundle([add(inTable(1), 0x10n), add(inTable(2), 0x11n), add(inTable(3), 0x20n)]);
    await client.bundle([{ kind: 'flow', command: 'delete', filter: { cookie: 0x10n, cookieMask: 0xf0n } }]);
    expect(await tables()).toEqual([3]);
  });

  test('deletes exactly one flow that was read back', async () => {
    const other = flow({ bridge, table: 1, priority: 1, match: { ...protocol.ip, ip_src: '10.0.0.0/8' } });
    await client.bundle([add(inTable(1)), add(other)]);
    const [installed] = (await client.dumpFlows()).filter(({ key }) => key === canonicalFlow(other, resolvePort).key);
    if (installed !== undefined) await client.bundle([{ kind: 'flow', command: 'delete_installed', installed }]);
    expect((await client.dumpFlows()).map(({ key }) => key)).toEqual([canonicalFlow(inTable(1), resolvePort).key]);
  });

  test('deletes strictly only the flow of that match and priority', async () => {
    const specific = flow({ bridge, table: 1, priority: 1, match: protocol.ip });
    await client.bundle([add(inTable(1)), add(specific)]);
    await client.bundle([{ kind: 'flow', command: 'delete_strict', flow: { table: 1, priority: 1, match: {} } }]);
    expect((await client.dumpFlows()).map(({ key }) => key)).toEqual([canonicalFlow(specific, resolvePort).key]);
  });

  test('modifies the actions of flows that a match covers, and keeps their cookie', async () => {
    const specific = flow({ bridge, table: 1, priority: 9, match: protocol.tcp, actions: [normal] });
    await client.bundle([add(specific, 5n)]);
    await client.bundle([
      {
        kind: 'flow',
        command: 'modify',
        flow: flow({ bridge, table: 1, priority: 1, match: protocol.ip, actions: [gotoTable(2)] }),
      },
    ]);
    const [installed] = await client.dumpFlows();
    expect(installed?.cookie).toBe(5n);
    expect(installed?.decode().actions).toEqual([{ type: 'goto_table', table: 2 }]);
  });

  test('dumps only what a filter asks for', async () => {
    await client.bundle([add(inTable(1), 1n), add(inTable(2), 2n)]);
    expect((await client.dumpFlows({ table: 2 })).map(({ cookie }) => cookie)).toEqual([2n]);
    expect((await client.dumpFlows({ cookie: 1n })).map(({ table }) => table)).toEqual([1]);
  });

  test('describes the ports', async () => {
    expect(await client.portDescriptions()).toContainEqual(expect.objectContaining({ name: 'tap1', port: tapPort }));
  });

  test('tells a monitor what is there, what others change, and its own changes by their number', async () => {
    await client.bundle([add(inTable(1))]);
    const other = await bed.connect();
    const updates: FlowUpdate[] = [];
    const monitor = await client.flowMonitor((update) => updates.push(update), { initial: true });
    await other.bundle([add(inTable(2))]);
    await until(() => updates.length >= 2);
    await client.bundle([add(inTable(3))]);
    await other.bundle([everything]);
    await until(() => updates.filter(({ event }) => event === 'removed').length >= 3);
    await monitor.stop();
    const told = updates.map((update) => ('flow' in update ? `${update.event} ${update.flow.table}` : update.event));
    expect(told.slice(0, 3)).toEqual(['initial 1', 'added 2', 'own']);
    expect(told.slice(3).sort()).toEqual(['removed 1', 'removed 2', 'removed 3']);
    await other.close();
  });

  test('tells of a removed flow that asked for it', async () => {
    const removed: bigint[] = [];
    const stop = client.onFlowRemoved(({ cookie }) => removed.push(cookie));
    await client.bundle([{ ...add(inTable(1), 42n), flags: { sendFlowRemoved: true } }]);
    await client.bundle([everything]);
    await until(() => removed.length > 0);
    stop();
    expect(removed).toEqual([42n]);
  });

  test('fails what is asked after close', async () => {
    const other = await bed.connect();
    const reasons: unknown[] = [];
    other.onClose((reason) => reasons.push(reason));
    await other.close();
    expect(reasons).toEqual([undefined]);
    await expect(other.barrier()).rejects.toBeInstanceOf(OpenFlowConnectionError);
  });
});

describe('Open vSwitch alone', () => {
  let ovs: PrivateSwitch;
  const target = () => ({ kind: 'unix', path: join(ovs.runDir, `${bridge}.mgmt`) }) as const;

  beforeAll(async () => {
    ovs = await startPrivateSwitch();
    await ovs.vsctl(
      'add-br',
      bridge,
      '--',
      'set',
      'bridge',
      bridge,
      'protocols=[OpenFlow10,OpenFlow13]',
      'fail_mode=secure',
      'datapath_type=dummy',
    );
  }, 120_000);

  afterAll(() => ovs?.stop());

  test('agrees on OpenFlow 1.3 where a bridge allows no 1.4', async () => {
    const connection = await OpenFlowConnection.connect({ bridge, target: target() });
    expect(connection.version).toBe(4);
    expect((await connection.description()).software).toMatch(/^3\./);
    expect(await connection.datapathId()).toBeGreaterThan(0n);
    await connection.close();
  });

  test('brings a packet from a packet-out through the table back as a packet-in', async () => {
    const connection = await OpenFlowConnection.connect({ bridge, target: target() });
    const packets: PacketIn[] = [];
    connection.onPacketIn((packet) => packets.push(packet));
    await connection.bundle([add(flow({ bridge, table: 4, priority: 1, actions: [toController()] }), 99n)]);
    const frame = Buffer.from(`ffffffffffff00000000000208060001080006040001${'00'.repeat(40)}`, 'hex');
    await connection.packetOut({ inPort: 'CONTROLLER', actions: [{ type: 'resubmit', table: 4 }], frame });
    await until(() => packets.length > 0);
    expect(packets[0]).toMatchObject({ table: 4, cookie: 99n });
    expect(packets[0]?.frame.subarray(0, frame.length)).toEqual(frame);
    await connection.close();
  });

  test('flushes a conntrack zone and single connections', async () => {
    const connection = await OpenFlowConnection.connect({ bridge, target: target() });
    await connection.flushConntrackZone(5);
    await connection.flushConntrack({
      zone: 5,
      protocol: 6,
      original: { source: '10.0.0.1', destination: '10.0.0.2', destinationPort: 22 },
    });
    await connection.close();
  });

  test('says which bridge speaks no version of ours', async () => {
    await ovs.vsctl(
      'add-br',
      'br-old',
      '--',
      'set',
      'bridge',
      'br-old',
      'protocols=[OpenFlow10]',
      'datapath_type=dummy',
    );
    const path = join(ovs.runDir, 'br-old.mgmt');
    await expect(OpenFlowConnection.connect({ bridge: 'br-old', target: { kind: 'unix', path } })).rejects.toThrow();
  });

  test('is connected again after the connection was lost', async () => {
    const connections: OpenFlowConnection[] = [];
    const reconnector = new OpenFlowReconnector({
      bridge,
      target: target(),
      onConnected: (connection) => connections.push(connection),
      shortestPause: 1,
    });
    await until(() => connections.length === 1);
    await connections[0]?.close();
    await until(() => connections.length === 2);
    await connections[1]?.barrier();
    await reconnector.stop();
    expect(reconnector.connection).toBeUndefined();
  });
});
