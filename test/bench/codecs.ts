import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Flow } from '@patchbay/sdk';
import { canonical } from '../../core/switch/canonical';
import { OpenFlowConnection } from '../../core/switch/openflow';
import { OvsdbClient } from '../../core/switch/ovsdb';
import { Blueprint } from '../../core/switch/planner/blueprint';
import type { Rows } from '../../core/switch/planner/rows';
import { startPrivateSwitch } from '../support/private-switch';

export interface CodecFigures {
  readonly flows: number;
  /** One atomic bundle, encoding included, until the switch has committed it. */
  readonly bundleMs: number;
  /** All read back and put in canonical form. */
  readonly dumpMs: number;
  /** The same flows wanted and installed: compiled and compared. */
  readonly planMs: number;
  readonly ports: number;
  /** A client's connection, until its replica has every port. */
  readonly monitorMs: number;
}

const BRIDGE = 'br-int';
const FLOWS_OF_A_KEY = 100;

/** The two protocol clients and the planner against a switch with the dummy datapath. */
export async function measureCodecs(flowCount: number, portCount: number): Promise<CodecFigures> {
  const ovs = await startPrivateSwitch();
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'));
  try {
    await ovs.vsctl('add-br', BRIDGE, '--', 'set', 'bridge', BRIDGE, 'datapath_type=dummy', 'fail_mode=secure');
    const target = { kind: 'unix', path: join(ovs.runDir, `${BRIDGE}.mgmt`) } as const;
    const connection = await OpenFlowConnection.connect({ bridge: BRIDGE, target });
    const flows = Array.from({ length: flowCount }, (_, index) => flowNumber(index));
    const bundleMs = await timed(() =>
      connection.bundle(flows.map((flow) => ({ kind: 'flow', command: 'add', flow, cookie: 1n }) as const)),
    );
    const start = performance.now();
    const read = await connection.dumpFlows();
    for (const flow of read) flow.inCanonicalForm();
    const dumpMs = performance.now() - start;
    await connection.close();
    const planMs = plan(flows, read);
    await addPorts(`unix:${ovs.dbSocket}`, portCount);
    const monitorMs = await timed(() => monitor(`unix:${ovs.dbSocket}`, portCount));
    return { flows: read.length, bundleMs, dumpMs, planMs, ports: portCount, monitorMs };
  } finally {
    await ovs.stop();
    rmSync(folder, { recursive: true });
  }
}

/** A flow such as a security group's: one port, one remote address, one destination port. */
function flowNumber(index: number): Flow {
  return {
    bridge: BRIDGE,
    table: 82,
    priority: 77,
    match: {
      eth_type: 0x0800,
      ip_proto: 6,
      reg5: 1 + (index % 1000),
      nw_src: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
      tcp_dst: 443,
      ct_state: '+est-rel-rpl',
    },
    actions: [{ type: 'output', port: 1 + (index % 1000) }],
  };
}

function plan(flows: readonly Flow[], found: Parameters<ReturnType<Blueprint['board']>['read']>[0]): number {
  const nobody: Rows = {
    bridge: (name) => ({
      name,
      datapathType: '',
      datapathId: null,
      failMode: 'secure',
      protocols: [],
      mcastSnooping: false,
      otherConfig: {},
      externalIds: {},
      controllers: [],
    }),
    port: () => undefined,
    bridges: () => [],
    ports: () => [],
  };
  const blueprint = new Blueprint(
    {
      canonical,
      fate: () => 'keep' as const,
      required: [],
      drift: 'repair',
      describeStranger: () => 'a stranger',
      isReserved: () => false,
      rankOf: () => 0,
    },
    nobody,
  );
  const start = performance.now();
  for (let from = 0; from < flows.length; from += FLOWS_OF_A_KEY) {
    blueprint.state('bench', `key/${from}`, { flows: flows.slice(from, from + FLOWS_OF_A_KEY) });
  }
  blueprint.board(BRIDGE).read(found);
  blueprint.plan();
  return performance.now() - start;
}

async function addPorts(target: string, count: number): Promise<void> {
  const client = new OvsdbClient({ target, tables: { Bridge: ['name'] } });
  client.start();
  await client.ready();
  const bridge = client.replica.table('Bridge').findBy('name', BRIDGE)?._uuid;
  if (bridge === undefined) throw new Error(`the switch has no bridge ${BRIDGE}`);
  await client.transact((transaction) => {
    const ports = Array.from({ length: count }, (_, index) => {
      const name = `tap${index}`;
      const row = transaction.insert('Interface', { name, type: 'dummy', external_ids: { 'iface-id': name } });
      return transaction.insert('Port', { name, interfaces: [row] });
    });
    transaction.addTo('Bridge', bridge, 'ports', ports);
  });
  await client.stop();
}

async function monitor(target: string, count: number): Promise<void> {
  const client = new OvsdbClient({ target, tables: { Bridge: 'all', Port: 'all', Interface: 'all' } });
  client.start();
  await client.ready();
  const { size } = client.replica.table('Port');
  await client.stop();
  if (size < count) throw new Error(`the replica has ${size} ports of ${count}`);
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}
