import type { DesiredRecords, PortRecord } from '@patchbay/sdk';
import { DesiredSlice } from '../../../core/kernel/desired-slice';
import { EventContext } from '../../../core/kernel/event-context';
import { HealthBook } from '../../../core/kernel/health';
import { MemoryDesiredStore } from '../../support/kernel/memory-desired-store';
import { RecordingLog } from '../../support/kernel/recording-logger';

type Internal = Extract<PortRecord, { kind: 'internal' }>;

const internal = (columns: object, bridge = 'br-ex'): DesiredRecords => ({
  ports: [{ kind: 'internal', bridge, name: 'extra', ...columns } as Internal],
});

async function reasonFor(records: DesiredRecords): Promise<string | undefined> {
  const parts = { plugin: 'a', store: new MemoryDesiredStore(), context: new EventContext() };
  const slice = new DesiredSlice({
    ...parts,
    logger: new RecordingLog().for('a'),
    health: new HealthBook().of('a'),
    permit: {
      manifest: {
        columns: ['integration', 'provider'].map((bridge) => ({
          bridge: bridge as 'integration' | 'provider',
          columns: ['Bridge:ports'],
        })),
      },
      allotted: {},
      wasAllotted: () => false,
      identity: { integrationBridge: 'br-int', tunnelBridge: 'br-tun' },
    },
  });
  slice.set('k', records);
  const progress = await slice.progress('k');
  return progress.state === 'quarantined' ? progress.reason : undefined;
}

describe('the columns of a port that a plugin makes', () => {
  it.each([
    [{ tag: 0 }],
    [{ tag: 4094, vlanMode: 'native-untagged', trunks: [0, 4094] }],
    [{ mac: '52:54:00:AB:cd:0a' }],
  ])('may be %j', async (columns) => {
    expect(await reasonFor(internal(columns))).toBeUndefined();
  });

  it.each<[string, object, RegExp]>([
    ['tag', { tag: 4095 }, /from 0 to 4094/],
    ['tag', { tag: -1 }, /from 0 to 4094/],
    ['tag', { tag: 1.5 }, /from 0 to 4094/],
    ['tag', { tag: '7' }, /from 0 to 4094/],
    ['vlanMode', { vlanMode: 'dot1q-tunnel' }, /access, trunk, native-tagged, native-untagged/],
    ['trunks[1]', { trunks: [1, 4095] }, /from 0 to 4094/],
    ['trunks', { trunks: 7 }, /list/],
    ['mac', { mac: '52-54-00-00-00-0a' }, /six pairs/],
    ['mac', { mac: '5254.0000.000a' }, /six pairs/],
    ['mac', { mac: '01:00:5e:00:00:01' }, /one station/],
    ['mac', { mac: '00:00:00:00:00:00' }, /one station/],
  ])('are refused by name: %s of %j', async (field, columns, problem) => {
    const reason = await reasonFor(internal(columns));
    expect(reason).toContain(`ports[0].${field} of port extra on br-ex`);
    expect(reason).toMatch(problem);
  });

  it.each([
    ['tag', { tag: 7 }],
    ['vlanMode', { vlanMode: 'access' }],
    ['trunks', { trunks: [7] }],
  ])('of a VIF are its gate’s: %s is refused', async (field, columns) => {
    const vif = { ...columns, externalIds: { 'iface-id': 'p1' } };
    expect(await reasonFor(internal(vif, 'br-int'))).toMatch(new RegExp(`ports\\[0\\]\\.${field} .*gate`));
    expect(await reasonFor(internal(vif, 'br-ex'))).toBeUndefined();
    expect(await reasonFor(internal(columns, 'br-int'))).toBeUndefined();
  });

  it('of a VIF may have the MAC address', async () => {
    const vif = { mac: '52:54:00:00:00:0a', externalIds: { 'iface-id': 'p1' } };
    expect(await reasonFor(internal(vif, 'br-int'))).toBeUndefined();
  });
});
