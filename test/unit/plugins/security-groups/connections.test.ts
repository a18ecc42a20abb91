import type { TrackedConnection } from '@patchbay/sdk';
import { boundPort } from '../../../support/plugin-kit';
import { group, setUp } from '../../../support/security-groups-kit';

type Bed = ReturnType<typeof setUp>;

const connection = (more: Partial<TrackedConnection>): TrackedConnection => ({
  ethertype: 'IPv4',
  protocol: 6,
  source: '192.0.2.1',
  destination: '10.1.0.5',
  sourcePort: 40_000,
  destinationPort: 22,
  mark: 0,
  ...more,
});
const tcp = (first: number, last = first) => ({ protocol: 'tcp', portRangeMin: first, portRangeMax: last });

async function bedWith(rules: Parameters<typeof group>[1], tracked: readonly TrackedConnection[]): Promise<Bed> {
  const bed = setUp();
  bed.view.tracked = tracked;
  bed.effects.forget = (tuple) => {
    bed.view.tracked = bed.view.tracked.filter(
      ({ mark: _mark, ...known }) => JSON.stringify(known) !== JSON.stringify(tuple),
    );
  };
  bed.resources.groups.set('web', group('web', rules));
  await bed.fire('onPortAdded', boundPort({ securityGroupIds: ['web'] }));
  return bed;
}

async function changeRules(bed: Bed, rules: Parameters<typeof group>[1]): Promise<void> {
  bed.resources.groups.set('web', group('web', rules));
  await bed.fire('onSecurityGroupUpdated', { securityGroupIds: ['web'], change: 'rules' });
  await new Promise((resolve) => setImmediate(resolve));
  await bed.jobs.retry();
}

describe('when a rule goes', () => {
  test('conntrack forgets the connections that no other rule allows, and only those', async () => {
    const cut = connection({ destinationPort: 22 });
    const kept = connection({ destinationPort: 443 });
    const bed = await bedWith([tcp(22), tcp(80, 500)], [cut, kept]);
    await changeRules(bed, [tcp(80, 500)]);
    expect(bed.view.tracked).toEqual([kept]);
  });

  test('a connection that the port began needs an egress rule', async () => {
    const begun = connection({ source: '10.1.0.5', destination: '192.0.2.1' });
    const bed = await bedWith([{ direction: 'egress' }], [begun]);
    await changeRules(bed, [{ direction: 'egress', protocol: 'udp' }]);
    expect(bed.view.tracked).toEqual([]);
  });

  test('a connection to an address that another port allows stays', async () => {
    const shared = connection({ destination: '10.1.0.5' });
    const bed = await bedWith([tcp(22)], [shared]);
    bed.resources.groups.set('other', group('other', [tcp(22)]));
    await bed.fire(
      'onPortAdded',
      boundPort({ id: 'p2', macAddress: 'fa:16:3e:00:00:02', securityGroupIds: ['other'] }),
    );
    await changeRules(bed, []);
    expect(bed.view.tracked).toEqual([shared]);
  });

  test('connections of nobody here stay', async () => {
    const strange = connection({ destination: '10.1.0.99' });
    const bed = await bedWith([tcp(22)], [strange]);
    await changeRules(bed, []);
    expect(bed.view.tracked).toEqual([strange]);
  });
});

test('a mark that was left is forgotten when the rule comes back', async () => {
  const marked = connection({ mark: 1 });
  const bed = await bedWith([], [marked]);
  await changeRules(bed, [tcp(22)]);
  expect(bed.view.tracked).toEqual([]);
});

test('a member that leaves a remote group takes its connections with it', async () => {
  const bed = await bedWith(
    [{ remoteGroupId: 'lb' }],
    [connection({ source: '10.1.0.9' }), connection({ source: '10.1.0.8' })],
  );
  bed.resources.setMembers('lb', '10.1.0.8', '10.1.0.9');
  await bed.fire('onSecurityGroupUpdated', { securityGroupIds: ['lb'], change: 'members' });
  bed.resources.setMembers('lb', '10.1.0.8');
  await bed.fire('onSecurityGroupUpdated', { securityGroupIds: ['lb'], change: 'members' });
  await new Promise((resolve) => setImmediate(resolve));
  await bed.jobs.retry();
  expect(bed.view.tracked.map(({ source }) => source)).toEqual(['10.1.0.8']);
});

test('where connections cannot be listed, all of the port’s are forgotten: those still allowed are picked up again', async () => {
  const bed = await bedWith([tcp(22)], []);
  delete bed.view.connections;
  await changeRules(bed, []);
  expect(bed.effects.flushedTuples).toContainEqual({ zone: 1, ethertype: 'IPv4', destination: '10.1.0.5' });
  expect(bed.effects.flushedTuples).toContainEqual({ zone: 1, ethertype: 'IPv4', source: '10.1.0.5' });
});

test('a switch that cannot forget is reported, and nothing else suffers', async () => {
  const bed = await bedWith([tcp(22)], [connection({})]);
  bed.effects.flushConntrack = async () => {
    throw new Error('Open vSwitch 2.17 cannot');
  };
  await changeRules(bed, []);
  expect(bed.health.conditions.get('connections')).toMatchObject({
    level: 'degraded',
    detail: expect.stringContaining('Open vSwitch 2.17 cannot'),
  });
});
