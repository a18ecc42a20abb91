import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseFlows } from '@patchbay/sdk/flow';
import { canonicalFlow, OpenFlowConnection } from '../../../core/switch/openflow';
import { type PrivateSwitch, startPrivateSwitch } from '../../support/private-switch';

const fixtures = join(__dirname, '../../fixtures/flows');

/** Flows of the reference that the recording does not hold, from Neutron's tables of br-int, br-tun and the provider bridges. */
const catalogue = readFileSync(join(fixtures, 'catalogue.flows'), 'utf8');

describe.each([4, 5])('a switch spoken to in wire version %i', (version) => {
  let ovs: PrivateSwitch;
  let connection: OpenFlowConnection;

  beforeAll(async () => {
    ovs = await startPrivateSwitch();
    await ovs.vsctl(
      'add-br',
      'br0',
      '--',
      'set',
      'bridge',
      'br0',
      'protocols=[OpenFlow13,OpenFlow14]',
      'fail_mode=secure',
      'datapath_type=dummy',
    );
    connection = await OpenFlowConnection.connect({
      bridge: 'br0',
      target: { kind: 'unix', path: join(ovs.runDir, 'br0.mgmt') },
      versions: [version],
    });
    await connection.send(
      [1, 2, 3].map((meter) => ({
        kind: 'meter',
        command: 'add',
        meter: { bridge: 'br0', meter, unit: 'pktps', bands: [{ kind: 'drop', rate: 100 }] },
      })),
    );
    await connection.send([
      { kind: 'group', command: 'add', group: { bridge: 'br0', group: 1, kind: 'all', buckets: [] } },
    ]);
  }, 30_000);

  afterAll(async () => {
    await connection?.close();
    await ovs?.stop();
  });

  test.each([
    'br-int.flows',
    'br-tun.flows',
    'br-ex.flows',
    'catalogue.flows',
  ])('gives back every flow of %s as it was wanted', async (file) => {
    await connection.bundle([{ kind: 'flow', command: 'delete', filter: {} }]);
    const text = file === 'catalogue.flows' ? catalogue : readFileSync(join(fixtures, file), 'utf8');
    const wanted = parseFlows('br0', text);
    await connection.bundle(
      wanted.map(({ flow, cookie }) => ({ kind: 'flow', command: 'add', flow, cookie: cookie ?? 1n })),
    );
    const installed = await connection.dumpFlows();
    const describeFlow = (key: string, body: string) => `${JSON.stringify(key)} => ${JSON.stringify(body)}`;
    const wantedText = wanted
      .map(({ flow }) => canonicalFlow(flow, () => undefined))
      .map(({ key, body }) => describeFlow(key, body));
    const installedText = installed.map(({ key, body }) => describeFlow(key, body));
    expect(installedText.sort()).toEqual([...new Set(wantedText)].sort());
    expect(installedText.length).toBeGreaterThan(3);
  });

  test.each([
    'br-int.flows',
    'br-tun.flows',
    'br-ex.flows',
    'catalogue.flows',
  ])('decodes every flow of %s to one that is the same flow', async (file) => {
    await connection.bundle([{ kind: 'flow', command: 'delete', filter: {} }]);
    const wanted = parseFlows('br0', readFileSync(join(fixtures, file), 'utf8'));
    await connection.bundle(
      wanted.map(({ flow, cookie }) => ({ kind: 'flow', command: 'add', flow, cookie: cookie ?? 1n })),
    );
    for (const flow of await connection.dumpFlows()) {
      expect(canonicalFlow(flow.decode(), () => undefined)).toEqual({ key: flow.key, body: flow.body });
    }
  });
});
