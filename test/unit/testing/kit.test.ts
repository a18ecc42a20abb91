import {
  type AgentHooks,
  type DesiredState,
  drop,
  type Effects,
  flow,
  type Health,
  output,
  type Plugin,
  plugin,
  port,
  Service,
  use,
} from '@patchbay/sdk';
import { aPort, aRemoval, Kit, misbehavingPlugin } from '@patchbay/testing';

@plugin({
  id: 'acme-quarantine',
  summary: 'Drops what ports named "bad" send',
  sdk: '^1.0.0',
  claims: [{ bridge: 'integration', tables: [60], priorities: [200, 200] }],
  onFailure: 'degrade',
})
class Quarantine implements Plugin {
  constructor(
    @use(Service.desired) private readonly desired: DesiredState,
    @use(Service.health) private readonly health: Health,
  ) {}

  tap(hooks: AgentHooks): void {
    hooks.onPortAdded(({ port: { id }, vif }) => {
      this.health.report('ports', 'ok', id);
      const match = { in_port: port(vif.portName) };
      this.desired.set(`port/${id}`, {
        flows: [flow({ bridge: vif.bridge, table: 60, priority: 200, match, actions: drop })],
      });
    });
    hooks.onPortRemoved(({ bound }) => this.desired.unset(`port/${bound.port.id}`));
    hooks.onSwitchReconnected(({ bridges }) => this.health.report('reconnections', 'ok', bridges.join()));
  }
}

function pluginThatFailsTo(step: 'construct' | 'tap' | 'start') {
  const failAt = (here: string): void => {
    if (here === step) throw new Error('no');
  };
  class Failing implements Plugin {
    constructor() {
      failAt('construct');
    }
    tap = (): void => failAt('tap');
    start = (): void => failAt('start');
  }
  plugin({ id: 'acme-failing', summary: 'Fails', sdk: '^1.0.0', onFailure: 'degrade' })(Failing);
  return Failing;
}

let kit: Kit;
afterEach(() => kit.stop());

describe('the kit', () => {
  it('shows what a plugin wants before its port is there, and what the switch has when it is', async () => {
    kit = await Kit.start({ plugins: [Quarantine] });
    const { keys } = await kit.fire.onPortAdded(aPort({ id: 'bad' }));
    expect(keys).toEqual([
      expect.objectContaining({ key: 'port/bad', progress: expect.objectContaining({ state: 'pending' }) }),
    ]);
    expect(kit).toWantFlows('br-int', 'table=60,priority=200,in_port="tap-bad" actions=drop');
    await expect(kit).toHaveFlows('br-int', '');
    await kit.plug({ name: 'tap-bad' });
    await expect(kit).toHaveFlows('br-int', 'table=60,priority=200,in_port="tap-bad" actions=drop');
    await kit.fire.onPortRemoved(aRemoval({ id: 'bad' }));
    await expect(kit).toHaveFlows('br-int', '');
  });

  it.each(['construct', 'tap', 'start'] as const)('rejects where the plugin under test fails to %s', async (step) => {
    const failing = pluginThatFailsTo(step);
    await expect(Kit.start({ plugins: [failing] })).rejects.toThrow(
      new RegExp(`acme-failing failed to ${step}; .*: no`),
    );
    kit = await Kit.start({ plugins: [failing], mayFail: true });
    expect(kit).toHaveHealth('failing');
  });

  it('goes on where another than the plugin under test fails', async () => {
    kit = await Kit.start({ plugins: [Quarantine, pluginThatFailsTo('start')] });
    expect(kit.health('acme-failing').level).toBe('failing');
  });

  it('says what differs', async () => {
    kit = await Kit.start({ plugins: [Quarantine] });
    await kit.fire.onPortAdded(aPort({ id: 'bad' }));
    expect(() => expect(kit).toWantFlows('br-int', 'table=60,priority=201 actions=drop')).toThrow(
      /- table=60,priority=201 actions=drop\n\+ table=60,priority=200,in_port="tap-bad"/,
    );
  });

  it('has neighbours that throw, answer nothing or answer late', async () => {
    kit = await Kit.start({
      plugins: [Quarantine, misbehavingPlugin('throws'), misbehavingPlugin('never-answers', 'sleeper')],
      tapBudgetMs: 20,
    });
    const { failures } = await kit.fire.onPortAdded(aPort({ id: 'bad' }));
    expect(failures.map(({ plugin: id }) => id).sort()).toEqual(['neighbour', 'sleeper']);
    expect(kit).toWantFlows('br-int', 'table=60,priority=200,in_port="tap-bad" actions=drop');
    expect(kit.health('neighbour').level).toBe('degraded');
    expect(kit).toHaveHealth('ok');
  });

  it('has a server that fails, dawdles and recovers while the test runs', async () => {
    kit = await Kit.start({ plugins: [Quarantine] });
    const { rpc, resources, controlPlane } = kit;
    rpc.answers.set('get', async () => 'late');
    rpc.objects.all.set('QosPolicy', [{ id: 'q1' }, { id: 'q2' }]);
    rpc.objects.follow('QosPolicy', { version: '1.10' }, () => undefined);
    const ask = () =>
      Promise.allSettled([
        rpc.call({ topic: 't' }, 'get', {}),
        rpc.objects.resynchronise('test').then(() => rpc.objects.load('QosPolicy', ['q1'])),
        rpc.pullObjects('QosPolicy', '1.10', { id: ['q2'] }),
        resources.subnets(['s1']),
        controlPlane.describePorts(['p1']),
      ]).then((all) => all.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason))));
    const well = ['late', [{ id: 'q1' }], [{ id: 'q2' }], [], []];
    await expect(ask()).resolves.toEqual(well);
    const parts = [rpc, resources, controlPlane];
    for (const part of parts) part.failure = new Error('away');
    await expect(ask()).resolves.toEqual(well.map(() => 'Error: away'));
    for (const part of parts) Object.assign(part, { failure: undefined, delayMs: 20 });
    const asked = performance.now();
    await expect(ask()).resolves.toEqual(well);
    // A timer may be a millisecond early; however late, the answers were held back.
    expect(performance.now() - asked).toBeGreaterThan(18);
  });

  it('remembers what versioned objects its server was asked for', async () => {
    kit = await Kit.start({ plugins: [Quarantine] });
    const { rpc } = kit;
    rpc.objects.all.set('QosPolicy', [{ id: 'q1' }]);
    await rpc.pullObject('QosPolicy', '1.10', 'q1');
    await rpc.pullObjects('QosPolicy', '1.10', { id: ['q1'] });
    rpc.objects.follow('Trunk', { version: '1.1' }, () => undefined);
    await rpc.objects.load('Trunk', ['t1']);
    const asked = rpc.sent.map(({ kind, method, args }) => [kind, method, args]);
    expect(asked.slice(0, 2)).toEqual([
      ['pull', 'pull', { resource_type: 'QosPolicy', version: '1.10', resource_id: 'q1' }],
      ['pull', 'bulk_pull', { resource_type: 'QosPolicy', version: '1.10', filter_kwargs: { id: ['q1'] } }],
    ]);
    const ofTrunks = asked.slice(2);
    expect(ofTrunks.length).toBeGreaterThan(0);
    for (const one of ofTrunks) {
      const args = expect.objectContaining({ resource_type: 'Trunk', version: '1.1' });
      expect(one).toEqual(['pull', 'bulk_pull', args]);
    }
  });

  it('has the packets that a plugin sent out', async () => {
    class Sender implements Plugin {
      constructor(@use(Service.effects) private readonly effects: Effects) {}
      tap(hooks: AgentHooks): void {
        hooks.onPortAdded(({ vif: { bridge, portName } }) =>
          this.effects.packetOut({ bridge, actions: [output(portName)], bytes: Uint8Array.of(1, 2) }),
        );
      }
    }
    plugin({ id: 'acme-sender', summary: 'Sends', sdk: '^1.0.0', onFailure: 'degrade' })(Sender);
    kit = await Kit.start({ plugins: [Sender, Quarantine] });
    await kit.plug({ name: 'tap-port-1' });
    await kit.fire.onPortAdded(aPort({ id: 'port-1' }));
    const sent = {
      plugin: 'acme-sender',
      bridge: 'br-int',
      actions: [output('tap-port-1')],
      bytes: Uint8Array.of(1, 2),
    };
    expect(kit.packetsOut()).toEqual([sent]);
    expect(kit.packetsOut('acme-quarantine')).toEqual([]);
  });

  it('has the ports and segments that were told, and lets plugins prepare before', async () => {
    kit = await Kit.start({ plugins: [Quarantine] });
    const ids = async () => (await kit.ports.ports()).map(({ vif }) => vif.portId);
    const order: string[] = [];
    const end = kit.ports.beforeTold(async ({ id }) => {
      order.push(`prepared ${id}, told of ${(await ids()).join()}`);
      if (id === 'refused') throw new Error('not now');
    });
    await kit.fire.onPortAdded(aPort({ id: 'one' }));
    await expect(kit.fire.onPortAdded(aPort({ id: 'refused' }))).rejects.toThrow('not now');
    end();
    await kit.fire.onPortAdded(aPort({ id: 'two', localVlan: 2, segment: { segmentationId: 102 } }));
    expect(order).toEqual(['prepared one, told of ', 'prepared refused, told of one']);
    expect(await ids()).toEqual(['one', 'two']);
    expect((await kit.ports.segments()).map(({ localVlan }) => localVlan)).toEqual([1, 2]);
    await kit.fire.onPortRemoved(aRemoval({ id: 'one' }));
    expect(await ids()).toEqual(['two']);
  });

  it('restarts the switch: the agent writes again what was stated, and tells plugins', async () => {
    kit = await Kit.start({ plugins: [Quarantine] });
    await kit.restartSwitch();
    await kit.plug({ name: 'tap-bad' });
    await kit.fire.onPortAdded(aPort({ id: 'bad' }));
    const before = kit.log.lines.length;
    await kit.restartSwitch();
    await expect(kit).toHaveFlows('br-int', 'table=60,priority=200,in_port="tap-bad" actions=drop');
    expect(kit.health().conditions.find(({ condition }) => condition === 'reconnections')?.detail).toBe('br-int');
    expect(kit.log.lines.slice(before).map(({ sentence }) => sentence)).toContain('flow tables were found empty');
  });

  it('boots another agent on the same switch', async () => {
    kit = await Kit.start({ plugins: [Quarantine] });
    await kit.plug({ name: 'tap-bad' });
    await kit.fire.onPortAdded(aPort({ id: 'bad' }));
    await kit.crashAndRestart();
    await expect(kit).toHaveFlows('br-int', 'table=60,priority=200,in_port="tap-bad" actions=drop');
    expect(kit).toWantFlows('br-int', '');
  });
});
