import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseFlows, printFlow } from '@patchbay/sdk/flow';
import { canonicalFlow, OpenFlowConnection } from '../../../core/switch/openflow';
import { type PrivateSwitch, startPrivateSwitch } from '../../support/private-switch';

const fixtures = join(__dirname, '../../fixtures/flows');
const files = ['br-int.flows', 'br-tun.flows', 'br-ex.flows', 'catalogue.flows'];

describe('flow text beside ovs-ofctl', () => {
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

  const forms = (flows: readonly { key: string; body: string }[]) =>
    flows.map(({ key, body }) => `${JSON.stringify(key)} => ${JSON.stringify(body)}`).sort();
  const unique = (lines: readonly string[]) => [...new Set(lines)];
  const none = () => undefined;

  test.each(files)('prints every flow of %s so that ovs-ofctl installs the same flow', async (file) => {
    const wanted = parseFlows('br0', readFileSync(join(fixtures, file), 'utf8'));
    const printed = join(ovs.runDir, file);
    writeFileSync(printed, wanted.map(({ flow, cookie }) => printFlow(flow, cookie)).join('\n'));
    await ovs.ofctl('-O', 'OpenFlow14', 'replace-flows', 'br0', printed);
    expect(forms(await connection.dumpFlows())).toEqual(
      unique(forms(wanted.map(({ flow }) => canonicalFlow(flow, none)))),
    );
  });

  test.each(files)('reads what ovs-ofctl dumps of %s as the flow that the switch has', async (file) => {
    await ovs.ofctl('-O', 'OpenFlow14', 'replace-flows', 'br0', join(fixtures, file));
    const dumped = parseFlows('br0', await ovs.ofctl('-O', 'OpenFlow14', '--no-names', 'dump-flows', 'br0'));
    expect(forms(dumped.map(({ flow }) => canonicalFlow(flow, none)))).toEqual(forms(await connection.dumpFlows()));
  });

  test.each(files)('reads its own text of %s as the same flow', (file) => {
    for (const { flow } of parseFlows('br0', readFileSync(join(fixtures, file), 'utf8'))) {
      const [again] = parseFlows('br0', printFlow(flow));
      expect(again && canonicalFlow(again.flow, none)).toEqual(canonicalFlow(flow, none));
    }
  });
});
