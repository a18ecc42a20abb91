import { STOCK } from '@patchbay/plugins';
import { type PluginClass, printFlow, type Segment, TunnelTable } from '@patchbay/sdk';
import { Kit } from '@patchbay/testing';
import { connectBridge } from '../../core/switch/openflow-targets';
import type { Row } from './table';

const NETWORKS = 1_000;
const REMOTES = 20;
const ENDPOINTS = 1_000;
const TOPIC = 'q-agent-notifier-l2population-update';
const FLOODING = ['00:00:00:00:00:00', '0.0.0.0'];
const NAMES = ['l2-population', 'tunnels', 'arp-responder'] as const;

const round = (ms: number): string => `${Math.round(ms)} ms`;

const segmentOf = (number: number): Segment => ({
  networkId: `network-${number}`,
  networkType: 'vxlan',
  physicalNetwork: null,
  segmentationId: 10_000 + number,
});

const macOf = (network: number, remote: number): string =>
  `fa:16:3e:${[network >> 8, network & 0xff, remote].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;

const addressOf = (endpoint: number): string => `10.99.${endpoint >> 8}.${endpoint & 0xff}`;

/** The entries of a network: one port on each of some hosts. */
function entriesOf(network: number, endpoints: readonly number[]) {
  const { networkId, segmentationId } = segmentOf(network);
  const ports = Object.fromEntries(
    endpoints.map((endpoint, place) => [
      addressOf(endpoint),
      [FLOODING, [macOf(network, place + 1), `10.1.${place >> 8}.${(place & 0xff) + 1}`]],
    ]),
  );
  return { [networkId]: { segment_id: segmentationId, network_type: 'vxlan', ports } };
}

async function started(): Promise<Kit> {
  const plugins = NAMES.map((name): PluginClass => {
    const found = STOCK[name];
    if (found === undefined) throw new Error(`there is no stock plugin ${name}`);
    return found;
  });
  const kit = await Kit.start({
    plugins,
    switch: 'ovs',
    tapBudgetMs: 60_000,
    options: { tunnels: { local_ip: '127.0.0.1', tunnel_types: ['vxlan'] } },
  });
  return kit;
}

interface Measured {
  readonly ms: number;
  readonly cpuMs: number;
  readonly changes: number;
}

/**
 * Milliseconds from a message of the server to everything on the switch, and what the switch was told on the way. With a table to watch: to its
 * first change, for looking whether anything more comes takes time of its own.
 */
async function measured(kit: Kit, act: () => void, watched?: number): Promise<Measured> {
  const change = watched === undefined ? undefined : await nextChange(kit, watched);
  const before = await allFlows(kit);
  const cpu = process.cpuUsage();
  const since = performance.now();
  act();
  const changedAt = await change?.at;
  await untilQuiet(kit);
  const ms = (changedAt ?? performance.now()) - since;
  await change?.close();
  const used = process.cpuUsage(cpu);
  const after = await allFlows(kit);
  const added = [...after].filter((flow) => !before.has(flow)).length;
  const removed = [...before].filter((flow) => !after.has(flow)).length;
  // A changed flow is one that went and one that came in its place.
  return { ms, cpuMs: (used.user + used.system) / 1000, changes: Math.max(added, removed) };
}

/** Entries are told in an event of their own, and ports get their numbers when they do: all is done when nothing is for a while. */
async function untilQuiet(kit: Kit): Promise<void> {
  for (let quiet = 0; quiet < 10; ) {
    const { rounds } = kit.switch.status().figures;
    await new Promise((resolve) => setTimeout(resolve, 5));
    await kit.switch.settled();
    const { figures, pending } = kit.switch.status();
    quiet = pending === 0 && figures.rounds === rounds ? quiet + 1 : 0;
  }
}

async function allFlows(kit: Kit): Promise<ReadonlySet<string>> {
  const flows = await kit.backend.installed('br-tun');
  return new Set(flows.map((flow) => printFlow(flow.decode())));
}

/** When the tunnel bridge tells of a change of a flow in the table, on the clock of `performance`. */
async function nextChange(kit: Kit, table: number): Promise<{ readonly at: Promise<number>; close(): Promise<void> }> {
  const client = await connectBridge('br-tun', kit.backend.reach.settings);
  let came = (_at: number) => {};
  const at = new Promise<number>((resolve) => {
    came = resolve;
  });
  await client.flowMonitor((update) => (update.event === 'initial' ? undefined : came(performance.now())), { table });
  return { at, close: () => client.close() };
}

const send = (kit: Kit, method: string, entries: unknown): void =>
  void kit.rpc.notify(TOPIC, method, { fdb_entries: entries });

/** Forwarding entries on a real switch. */
export async function measureEntries(): Promise<readonly Row[]> {
  const kit = await started();
  try {
    for (let network = 1; network <= NETWORKS; network++) {
      await kit.kernel.announcer.event('bench', (calls) =>
        calls.tell('onSegmentBound', { segment: segmentOf(network), localVlan: network }),
      );
    }
    await kit.settled();
    const memory = process.memoryUsage.rss();
    const endpoints = Array.from({ length: REMOTES }, (_, index) => index + 1);
    const table = await measured(kit, () => {
      for (let network = 1; network <= NETWORKS; network++) send(kit, 'add_fdb_entries', entriesOf(network, endpoints));
    });
    const flows = (await allFlows(kit)).size;
    const more = (process.memoryUsage.rss() - memory) / 2 ** 20;
    const { networkId, segmentationId } = segmentOf(7);
    const one = await measured(
      kit,
      () =>
        send(kit, 'add_fdb_entries', {
          [networkId]: {
            segment_id: segmentationId,
            network_type: 'vxlan',
            ports: { [addressOf(3)]: [['fa:16:3e:ff:ff:01', '10.1.9.9']] },
          },
        }),
      TunnelTable.unicast,
    );
    const what = `entries of ${NETWORKS.toLocaleString('en')} networks × ${REMOTES} remote ports at once, received → on the switch`;
    return [
      {
        what,
        unit: 'ms',
        patchbay: table.ms,
        note: `${round(table.cpuMs)} of processor time; unicast, ARP answers, flooding; userspace datapath`,
      },
      { what: '… flows then', unit: 'count', patchbay: flows },
      { what: '… memory', unit: 'MiB', patchbay: more },
      { what: '… one entry more, received → on the switch', unit: 'ms', patchbay: one.ms },
      {
        what: '… flows changed by it',
        unit: 'count',
        patchbay: one.changes,
        target: 2,
        note: 'unicast and ARP answer',
      },
    ];
  } finally {
    await kit.stop();
  }
}

/** A mesh of tunnels on a real switch, and one endpoint that comes to it. */
export async function measureMesh(): Promise<readonly Row[]> {
  const kit = await started();
  const networks = 5;
  try {
    for (let network = 1; network <= networks; network++) {
      await kit.kernel.announcer.event('bench', (calls) =>
        calls.tell('onSegmentBound', { segment: segmentOf(network), localVlan: network }),
      );
    }
    const all = Array.from({ length: ENDPOINTS }, (_, index) => index + 1);
    const mesh = await measured(kit, () => {
      for (let network = 1; network <= networks; network++) send(kit, 'add_fdb_entries', entriesOf(network, all));
    });
    const { networkId, segmentationId } = segmentOf(3);
    const ports = async () =>
      (await kit.switch.view.ports('br-tun')).filter(({ interfaces }) => interfaces[0]?.type === 'vxlan').length;
    const before = await ports();
    const roundsBefore = kit.switch.status().figures.rounds;
    const one = await measured(
      kit,
      () =>
        send(kit, 'add_fdb_entries', {
          [networkId]: { segment_id: segmentationId, network_type: 'vxlan', ports: { [addressOf(2_000)]: [FLOODING] } },
        }),
      TunnelTable.flood,
    );
    const rounds = kit.switch.status().figures.rounds - roundsBefore;
    return [
      {
        what: `${ENDPOINTS.toLocaleString('en')} tunnel endpoints in ${networks} networks, received → on the switch`,
        unit: 'ms',
        patchbay: mesh.ms,
        note: `${round(mesh.cpuMs)} of processor time`,
      },
      {
        what: '… one endpoint more in one network, received → on the switch',
        unit: 'ms',
        patchbay: one.ms,
      },
      { what: '… ports made for it', unit: 'count', patchbay: (await ports()) - before, target: 1 },
      {
        what: '… flows changed by it',
        unit: 'count',
        patchbay: one.changes,
        target: 2,
        note: `of its port, and the one that floods to it; ${rounds} rounds`,
      },
    ];
  } finally {
    await kit.stop();
  }
}
