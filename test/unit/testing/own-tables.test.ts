import {
  type AgentHooks,
  type AllottedTables,
  type DesiredState,
  type Plugin,
  parseFlow,
  plugin,
  Service,
  use,
} from '@patchbay/sdk';
import { aPort, Kit } from '@patchbay/testing';

@plugin({
  id: 'acme-copy',
  summary: 'Has a table of its own',
  sdk: '^1.0.0',
  tables: [{ bridge: 'integration', name: 'copy' }],
  onFailure: 'degrade',
})
class Copy implements Plugin {
  constructor(
    @use(Service.desired) private readonly desired: DesiredState,
    @use(Service.tables) private readonly tables: AllottedTables,
  ) {}

  tap(hooks: AgentHooks): void {
    hooks.onPortAdded(() => {
      this.desired.set('base', { flows: [parseFlow('br-int', `table=${this.tables.copy},priority=1 actions=drop`)] });
      this.desired.complete();
    });
  }
}

const OWN = 'table=100,priority=1 actions=drop';
let kit: Kit;
beforeEach(async () => {
  kit = await Kit.start({ plugins: [Copy], switch: 'memory' });
  await kit.fire.onPortAdded(aPort());
});
afterEach(() => kit.stop());

/** Somebody at the switch's own tools. */
const typed = async (act: 'add' | 'delete', text: string): Promise<void> => {
  const stranger = kit.memory.bridge('br-int').connect();
  const { table } = parseFlow('br-int', text);
  if (act === 'delete') await stranger.send([{ kind: 'flow', command: 'delete', filter: { table } }]);
  else await stranger.send([{ kind: 'flow', command: 'add', flow: parseFlow('br-int', text), cookie: 0x1234n }]);
  await kit.settled();
};
const all = async () => (await kit.backend.installed('br-int')).map((flow) => flow.decode().table);

describe('in a table that a plugin was allotted', () => {
  it('what somebody adds is found and removed', async () => {
    await typed('add', 'table=100,priority=7 actions=drop');
    expect(await all()).toEqual([100]);
    await expect(kit).toHaveFlows('br-int', OWN);
    expect(kit.switch.status().figures.drift).toMatchObject({ added: 1 });
  });

  it('what somebody takes away is put back', async () => {
    await typed('delete', 'table=100 actions=drop');
    await expect(kit).toHaveFlows('br-int', OWN);
    expect(kit.switch.status().figures.drift).toMatchObject({ removed: 1 });
  });

  it('what somebody added while no agent ran is swept once all plugins have said what they want', async () => {
    await kit.crashAndRestart();
    await typed('add', 'table=100,priority=7 actions=drop');
    expect(await all()).toEqual([100, 100]);
    await kit.fire.onPortAdded(aPort());
    await kit.settled();
    expect(await all()).toEqual([100]);
  });
});
