import { type Flow, parseFlows } from '@patchbay/sdk';
import { boundPort, bridgeRow, expectFlows, VLAN_SEGMENT } from '../../../support/plugin-kit';
import { group, setUp } from '../../../support/security-groups-kit';

type Bed = ReturnType<typeof setUp>;

async function addPort(bed: Bed, id: string, groups: readonly string[], address: string, localVlan = 1): Promise<void> {
  const macAddress = `fa:16:3e:00:00:${id.slice(1).padStart(2, '0')}`;
  const fixedIps = [{ subnetId: 's', ipAddress: address }];
  const port = { id, macAddress, fixedIps, securityGroupIds: groups };
  await bed.fire('onPortAdded', boundPort(port, VLAN_SEGMENT, localVlan));
}

/** A bed with ports p1 and p2 on VLAN 1 and p3 on VLAN 2, all of group web, whose rules let each other in. */
async function peers(rules: Parameters<typeof group>[1] = [{ remoteGroupId: 'web' }]): Promise<Bed> {
  const bed = setUp();
  bed.resources.groups.set('web', group('web', rules));
  bed.resources.setMembers('web', '10.0.0.1', '10.0.0.2', '10.0.0.3');
  await addPort(bed, 'p1', ['web'], '10.0.0.1');
  await addPort(bed, 'p2', ['web'], '10.0.0.2');
  await addPort(bed, 'p3', ['web'], '10.0.0.3', 2);
  return bed;
}

const membersChanged = (...ids: readonly string[]) => ({ securityGroupIds: ids, change: 'members' }) as const;
const rulesChanged = (...ids: readonly string[]) => ({ securityGroupIds: ids, change: 'rules' }) as const;

describe('a remote group', () => {
  test('is an address in one dimension and a port in the other', async () => {
    const bed = await peers();
    expectFlows(bed.desired.flows('members/1/group/web/10.0.0.2'), {
      'br-int': `
        table=82,priority=70,ct_state=+est-rel-rpl,ip,reg6=1,nw_src=10.0.0.2 actions=conjunction(8,1/2)
        table=82,priority=70,ct_state=+new-est,ip,reg6=1,nw_src=10.0.0.2 actions=conjunction(9,1/2)`,
    });
    const isConjunctive = ({ priority, table }: Flow) => table === 82 && priority === 70;
    expectFlows(bed.desired.flows('port/p1').filter(isConjunctive), {
      'br-int': `
        table=82,priority=70,ct_state=+est-rel-rpl,ip,reg5="tap-p1" actions=conjunction(8,2/2)
        table=82,priority=70,ct_state=+new-est,ip,reg5="tap-p1" actions=conjunction(9,2/2)
        table=82,priority=70,conj_id=8,ct_state=+est-rel-rpl,ip,reg5="tap-p1" actions=set_field:8->reg7,output:"tap-p1"
        table=82,priority=70,conj_id=9,ct_state=+new-est,ip,reg5="tap-p1" actions=set_field:9->reg7,ct(commit,zone=NXM_NX_REG6[0..15]),output:"tap-p1",resubmit(,92)`,
    });
  });

  test('changes one key for each local VLAN when a member comes', async () => {
    const bed = await peers();
    bed.desired.history.length = 0;
    bed.resources.setMembers('web', '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4');
    await bed.fire('onSecurityGroupUpdated', membersChanged('web'));
    expect(bed.desired.history).toEqual(['set members/1/group/web/10.0.0.4', 'set members/2/group/web/10.0.0.4']);
  });

  test('comes to local VLANs × states × priorities in use, for one member, whatever the number of rules and ports', async () => {
    const tcp = (port: number) => ({ protocol: 'tcp', portRangeMin: port, portRangeMax: port, remoteGroupId: 'web' });
    const bed = await peers([
      ...Array.from({ length: 20 }, (_, index) => tcp(index + 1)),
      { protocol: 'icmp', remoteGroupId: 'web' },
    ]);
    const states = 2;
    const priorities = 2;
    expect(bed.desired.flows('members/1/group/web/10.0.0.1')).toHaveLength(states * priorities);
  });

  test('withdraws an address at once when its member goes', async () => {
    const bed = await peers();
    bed.desired.history.length = 0;
    bed.resources.setMembers('web', '10.0.0.1', '10.0.0.3');
    await bed.fire('onSecurityGroupUpdated', membersChanged('web'));
    expect(bed.desired.history).toEqual(['unset members/1/group/web/10.0.0.2', 'unset members/2/group/web/10.0.0.2']);
  });

  test('has clauses for every group that names it in one flow of the address', async () => {
    const bed = setUp();
    bed.resources.groups.set('web', group('web', [{ remoteGroupId: 'lb' }]));
    bed.resources.groups.set('api', group('api', [{ remoteGroupId: 'lb' }]));
    bed.resources.setMembers('lb', '10.0.0.9');
    await addPort(bed, 'p1', ['web'], '10.0.0.1');
    await addPort(bed, 'p2', ['api'], '10.0.0.2');
    expectFlows(bed.desired.flows('members/1/group/lb/10.0.0.9'), {
      'br-int': `
        table=82,priority=70,ct_state=+est-rel-rpl,ip,reg6=1,nw_src=10.0.0.9 actions=conjunction(8,1/2),conjunction(16,1/2)
        table=82,priority=70,ct_state=+new-est,ip,reg6=1,nw_src=10.0.0.9 actions=conjunction(9,1/2),conjunction(17,1/2)`,
    });
  });

  test('knows a member that may use any address by its MAC address', async () => {
    const bed = await peers();
    bed.resources.setMembers('web', '0.0.0.0/0');
    await bed.fire('onSecurityGroupUpdated', membersChanged('web'));
    const [flow] = bed.desired.flows('members/1/group/web/0.0.0.0/0 of fa:16:3e:0f:0f:0f');
    expect(flow?.match).toMatchObject({ reg6: 1, eth_src: 'fa:16:3e:0f:0f:0f' });
    expect(flow?.match).not.toHaveProperty('nw_src');
  });

  test('that no port uses is asked nothing about', async () => {
    const bed = await peers();
    const before = bed.resources.questions;
    await bed.fire('onSecurityGroupUpdated', membersChanged('other'));
    expect(bed.resources.questions).toBe(before);
  });
});

describe('an address group', () => {
  test('follows its addresses', async () => {
    const bed = setUp();
    bed.resources.groups.set('web', group('web', [{ remoteAddressGroupId: 'offices' }]));
    bed.resources.addresses.set('offices', ['192.0.2.0/24']);
    await addPort(bed, 'p1', ['web'], '10.0.0.1');
    bed.resources.addresses.set('offices', ['198.51.100.7/32']);
    bed.desired.history.length = 0;
    await bed.fire('onSecurityGroupUpdated', { securityGroupIds: ['web'], change: 'address-group' });
    expect(bed.desired.keys()).toContain('members/1/address-group/offices/198.51.100.7');
    expect(bed.desired.keys()).not.toContain('members/1/address-group/offices/192.0.2.0/24');
  });
});

describe('a change of rules', () => {
  test('states the ports of the group, and no others, in one event', async () => {
    const bed = await peers();
    bed.resources.groups.set('db', group('db', []));
    await addPort(bed, 'p4', ['db'], '10.0.0.4');
    bed.events.length = 0;
    bed.resources.groups.set('web', group('web', [{ protocol: 'tcp' }]));
    await bed.fire('onSecurityGroupUpdated', rulesChanged('web'));
    expect(bed.events).toHaveLength(1);
    expect(bed.events[0]?.filter((act) => act.startsWith('set'))).toEqual([
      'set port/p1',
      'set port/p2',
      'set port/p3',
    ]);
  });

  test('leaves the flows of the other rules what they were: the same objects, which cost nothing on their way', async () => {
    const bed = setUp();
    const rules = [
      { protocol: 'tcp' },
      { protocol: 'udp', remoteGroupId: 'db' },
      { protocol: 'tcp', remoteGroupId: 'db' },
    ];
    bed.resources.groups.set('web', group('web', rules));
    await bed.fire('onPortAdded', boundPort({ securityGroupIds: ['web'] }));
    const before = bed.desired.flows('port/p1');
    bed.resources.groups.set('web', group('web', [...rules, { protocol: 'sctp' }]));
    await bed.fire('onSecurityGroupUpdated', { securityGroupIds: ['web'], change: 'rules' });
    const after = bed.desired.flows('port/p1');
    expect(before.filter((flow) => !after.includes(flow))).toEqual([]);
    expect(after.filter((flow) => !before.includes(flow))).toHaveLength(2);
  });

  test('does not bring back a port that goes while the others are stated', async () => {
    const bed = await peers();
    bed.resources.groups.set('web', group('web', [{ protocol: 'tcp' }]));
    const set = bed.desired.set.bind(bed.desired);
    let gone: Promise<unknown> | undefined;
    bed.desired.set = (key, records) => {
      set(key, records);
      gone ??= bed.fire('onPortRemoved', { bound: boundPort({ id: 'p3' }, VLAN_SEGMENT, 2), reason: 'unplugged' });
    };
    await bed.fire('onSecurityGroupUpdated', rulesChanged('web'));
    await gone;
    expect(bed.desired.keys()).toContain('port/p2');
    expect(bed.desired.keys()).not.toContain('port/p3');
  });

  test('is stated together with those that come right after it', async () => {
    const bed = await peers();
    bed.events.length = 0;
    const first = bed.fire('onSecurityGroupUpdated', rulesChanged('web'));
    await new Promise((resolve) => setImmediate(resolve));
    await bed.fire('onSecurityGroupUpdated', rulesChanged('web'));
    await first;
    expect(bed.events).toHaveLength(1);
  });

  test('withdraws address flows that no rule refers to any more, in the same event', async () => {
    const bed = await peers();
    bed.resources.groups.set('web', group('web', []));
    await bed.fire('onSecurityGroupUpdated', rulesChanged('web'));
    expect(bed.desired.keys().filter((key) => key.startsWith('members/'))).toEqual([]);
  });

  test('that cannot be read is tried again, and leaves what is there', async () => {
    const bed = await peers();
    const before = bed.desired.flows();
    bed.resources.failing = true;
    await bed.fire('onSecurityGroupUpdated', rulesChanged('web'));
    expect(bed.desired.flows()).toEqual(before);
    expect(bed.health.conditions.get('changed groups')).toMatchObject({ level: 'degraded' });
    bed.resources.failing = false;
    bed.resources.groups.set('web', group('web', []));
    await bed.jobs.retry();
    expect(bed.desired.flows()).not.toEqual(before);
    expect(bed.health.conditions.has('changed groups')).toBe(false);
  });
});

describe('a port', () => {
  test('finds what takes a network done when it is told of, however slow the control plane was', async () => {
    const bed = setUp();
    bed.resources.groups.set('web', group('web', [{ remoteGroupId: 'db' }]));
    bed.resources.setMembers('db', '10.0.0.9');
    const bound = boundPort({ securityGroupIds: ['web'] });
    await bed.prepare(bound.port);
    bed.resources.membersOf = () => new Promise(() => {});
    await bed.fire('onPortAdded', bound);
    expect(bed.desired.keys()).toEqual(expect.arrayContaining(['port/p1', 'members/1/group/db/10.0.0.9']));
  });

  test('keeps what an earlier run installed from being swept while it cannot be prepared', async () => {
    const bed = setUp();
    bed.resources.failing = true;
    await expect(bed.prepare(boundPort({ securityGroupIds: ['web'] }).port)).rejects.toThrow('does not answer');
    await bed.fire('onAgentSynced', { ports: 1 });
    expect(bed.desired.isComplete).toBe(false);
  });

  test('is not guarded while its groups cannot be read: its tap fails, and it stays shut', async () => {
    const bed = setUp();
    bed.resources.failing = true;
    await expect(addPort(bed, 'p1', ['web'], '10.0.0.1')).rejects.toThrow('does not answer');
    expect(bed.desired.keys()).not.toContain('port/p1');
  });

  test('keeps what an earlier run installed from being swept until it is guarded', async () => {
    const bed = setUp();
    bed.resources.failing = true;
    await addPort(bed, 'p1', ['web'], '10.0.0.1').catch(() => undefined);
    await bed.fire('onAgentSynced', { ports: 1 });
    expect(bed.desired.isComplete).toBe(false);
    bed.resources.failing = false;
    await addPort(bed, 'p1', ['web'], '10.0.0.1');
    expect(bed.desired.isComplete).toBe(true);
  });

  test('whose tap ran out of time keeps it from being swept too: what the tap stated was dropped', async () => {
    const bed = setUp();
    await bed.fire('onAgentSynced', { ports: 1 });
    const isComplete = bed.desired.isComplete;
    const late = bed.fire('onPortAdded', boundPort({ id: 'p1' }), AbortSignal.abort(new Error('time is up')));
    await expect(late).rejects.toThrow('time is up');
    bed.desired.isComplete = false;
    await bed.fire('onAgentSynced', { ports: 1 });
    expect([isComplete, bed.desired.isComplete, bed.desired.keys()]).toEqual([true, false, ['base']]);
  });

  test('takes its flows with it, and address flows that only it needed', async () => {
    const bed = await peers();
    await bed.fire('onPortRemoved', { bound: boundPort({ id: 'p3' }, VLAN_SEGMENT, 2), reason: 'unplugged' });
    await bed.jobs.retry();
    expect(bed.desired.keys().filter((key) => key.startsWith('members/2'))).toEqual([]);
    expect(bed.desired.keys()).not.toContain('port/p3');
  });
});

describe('what the control plane told of a group', () => {
  const unplug = (bed: Bed, id: string) =>
    bed.fire('onPortRemoved', { bound: boundPort({ id }), reason: 'unplugged' } as const);

  test('is forgotten there too when no port uses the group any more, and asked for again by the next', async () => {
    const bed = await peers([{ remoteGroupId: 'db' }, { remoteAddressGroupId: 'nets' }]);
    for (const id of ['p1', 'p2', 'p3']) await unplug(bed, id);
    await bed.jobs.retry();
    expect(bed.resources.forgotten).toEqual([{ securityGroups: ['web'], membersOf: ['db'], addressGroups: ['nets'] }]);
    bed.resources.setMembers('db', '10.0.0.9');
    await addPort(bed, 'p1', ['web'], '10.0.0.1');
    expect(bed.desired.keys()).toContain('members/1/group/db/10.0.0.9');
  });

  test('is forgotten as well where no rule names addresses', async () => {
    const bed = await peers([{ protocol: 'tcp' }]);
    for (const id of ['p1', 'p2', 'p3']) await unplug(bed, id);
    await bed.jobs.retry();
    expect(bed.resources.forgotten).toEqual([{ securityGroups: ['web'], membersOf: [], addressGroups: [] }]);
  });

  test('is kept while a port uses the group, and members while a rule names them', async () => {
    const bed = await peers();
    bed.resources.groups.set('db', group('db', [{ remoteGroupId: 'web' }]));
    await addPort(bed, 'p4', ['db'], '10.0.0.4');
    for (const id of ['p1', 'p2']) await unplug(bed, id);
    await bed.jobs.retry();
    expect(bed.resources.forgotten).toEqual([]);
    await unplug(bed, 'p3');
    await bed.jobs.retry();
    expect(bed.resources.forgotten).toEqual([{ securityGroups: ['web'], membersOf: [], addressGroups: [] }]);
  });

  test('is kept while it is read for a port, and forgotten after that came to nothing', async () => {
    const bed = await peers();
    for (const id of ['p1', 'p2', 'p3']) await unplug(bed, id);
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      bed.resources.beforeAnswer = () => {
        resolve();
        return new Promise((answered) => {
          answer = answered;
        });
      };
    });
    const { port } = boundPort({ id: 'p4', securityGroupIds: ['web'] });
    const prepared = bed.prepare(port);
    await asked;
    await bed.jobs.retry();
    expect(bed.resources.forgotten).toEqual([]);
    bed.resources.beforeAnswer = async () => {};
    answer();
    await prepared;
    await bed.jobs.retry();
    expect(bed.resources.forgotten.flatMap(({ securityGroups }) => securityGroups)).toEqual(['web']);
  });
});

describe('conjunction ids', () => {
  test('survive a restart', async () => {
    const first = await peers();
    const second = setUp({ store: first.store });
    second.resources.groups.set('zzz', group('zzz', [{ remoteGroupId: 'web' }]));
    second.resources.groups.set('web', group('web', [{ remoteGroupId: 'web' }]));
    second.resources.setMembers('web', '10.0.0.1');
    await addPort(second, 'p9', ['zzz'], '10.0.0.9');
    await addPort(second, 'p1', ['web'], '10.0.0.1');
    const [flow] = second.desired.flows('members/1/group/web/10.0.0.1');
    expect(flow?.actions).toEqual([
      { type: 'conjunction', id: 16, clause: 1, clauses: 2 },
      { type: 'conjunction', id: 8, clause: 1, clauses: 2 },
    ]);
  });

  test('start above the highest installed where the record is lost', async () => {
    const [installed] = parseFlows(
      'br-int',
      'table=82,priority=70,ip,reg6=7,nw_src=1.2.3.4 actions=conjunction(43,1/2)',
    );
    const bed = setUp({ installed: async () => (installed === undefined ? [] : [{ ...installed.flow, cookie: 1n }]) });
    bed.view.addBridge(bridgeRow('br-int'));
    bed.resources.groups.set('web', group('web', [{ remoteGroupId: 'web' }]));
    bed.resources.setMembers('web', '10.0.0.1');
    await addPort(bed, 'p1', ['web'], '10.0.0.1');
    const [flow] = bed.desired.flows('members/1/group/web/10.0.0.1');
    expect(flow?.actions).toEqual([{ type: 'conjunction', id: 48, clause: 1, clauses: 2 }]);
  });

  test('are given only when it is known which are installed', async () => {
    const bed = setUp();
    bed.view.addBridge(bridgeRow('br-int'));
    bed.desired.progress = async () => ({ state: 'pending', waitingFor: ['a connection'] });
    bed.resources.groups.set('web', group('web', []));
    await expect(addPort(bed, 'p1', ['web'], '10.0.0.1')).rejects.toThrow('could not be read yet (pending)');
    bed.desired.progress = async () => ({ state: 'applied' });
    await addPort(bed, 'p1', ['web'], '10.0.0.1');
    expect(bed.desired.keys()).toContain('port/p1');
  });
});

describe('the guard', () => {
  test('names a group that comes to more flows than configured, before it is stated, and clears it', async () => {
    const bed = setUp({ options: { max_flows_per_group: 10 } });
    bed.resources.groups.set('web', group('web', [{ remoteGroupId: 'web' }]));
    bed.resources.setMembers('web', ...Array.from({ length: 20 }, (_, index) => `10.0.1.${index}`));
    const statedWhenReported: boolean[] = [];
    const { report } = bed.health;
    bed.health.report = (condition, level, detail) => {
      statedWhenReported.push(bed.desired.keys().includes('port/p1'));
      report.call(bed.health, condition, level, detail);
    };
    await addPort(bed, 'p1', ['web'], '10.0.0.1');
    expect(statedWhenReported).toEqual([false]);
    expect(bed.health.conditions.get('group web')?.detail).toBe(
      'security group "name of web" (web) comes to 44 flows here (1 ports, 20 remote addresses); max_flows_per_group is 10',
    );
    bed.resources.setMembers('web');
    await bed.fire('onSecurityGroupUpdated', membersChanged('web'));
    expect(bed.health.conditions.has('group web')).toBe(false);
  });
});
