import { MortalAgent, nameOf, type PluggedPort } from '../../support/switch/mortal-agent';

const PORT: PluggedPort = { id: 'aaaaaaaa-0000-4000-8000-000000000001', macAddress: 'fa:16:3e:00:00:01' };
const NEIGHBOUR: PluggedPort = { id: 'bbbbbbbb-0000-4000-8000-000000000002', macAddress: 'fa:16:3e:00:00:02' };
const DEAD_VLAN = 4095;

const networks = (state: 'up' | 'down'): string => `
networks: { blue: { type: local } }
ports:
  ${PORT.id}: { network: blue, mac: "${PORT.macAddress}", addresses: [10.0.0.1], security_groups: [web], admin_state: ${state} }
  ${NEIGHBOUR.id}: { network: blue, mac: "${NEIGHBOUR.macAddress}", addresses: [10.0.0.2], security_groups: [web] }
security_groups:
  web:
    rules:
      - { direction: egress }
      - { direction: ingress, protocol: tcp, ports: 80-90 }
      - { direction: ingress, remote_group: web }
`;

interface State {
  readonly flows: readonly string[];
  readonly tag: unknown;
  readonly kept: unknown;
}

function stateOf(agent: MortalAgent): State {
  const port = agent.row('Port', nameOf(PORT));
  return { flows: agent.flows('br-int'), tag: port?.tag, kept: port?.other_config };
}

/** The port's flows in the tables that guard it, of all that a wired switch has. */
function guardsIn(flows: readonly string[], ofport: number): readonly string[] {
  const own = new RegExp(`(in_port=|reg5=0x0*)${ofport.toString(16)}(,| )|eth_dst=${PORT.macAddress}`);
  return flows.filter((flow) => /table=(60|71|72|73|81|82|91|92|93|94),/.test(flow) && own.test(flow));
}

const admits = (flows: readonly string[], ofport: number): boolean =>
  flows.some((flow) => new RegExp(`table=0,.*in_port=${ofport}\\b`).test(flow));

/** Notes each write after which the port sends, or is in a live VLAN, and lacks any of the flows that guard it when it is wired. */
function watch(agent: MortalAgent, guards: readonly string[]): readonly string[] {
  const breaches: string[] = [];
  agent.wrote = (what) => {
    const tag = agent.row('Port', nameOf(PORT))?.tag;
    if (tag === undefined) return;
    const flows = agent.flows('br-int');
    const isOpen = admits(flows, ofportOf(agent)) || (typeof tag === 'number' && tag !== DEAD_VLAN);
    const missing = guards.filter((guard) => !flows.includes(guard));
    if (isOpen && missing.length > 0) breaches.push(`after ${what}, write ${agent.writes}: ${missing.join('\n')}`);
  };
  return breaches;
}

const ofportOf = (agent: MortalAgent): number => Number(agent.row('Interface', nameOf(PORT))?.ofport);

/** Both ports on a switch that an agent has wired, or the neighbour alone. */
async function wired(ports: readonly PluggedPort[]): Promise<MortalAgent> {
  const agent = new MortalAgent();
  await agent.start(networks('up'));
  // One after the other, so that each has the same number every time.
  for (const port of ports) {
    agent.plug(port);
    await agent.untilIdle();
  }
  return agent;
}

describe('the whole agent, killed at any of its writes', () => {
  let goal: State;
  let guards: readonly string[];

  beforeAll(async () => {
    const agent = await wired([NEIGHBOUR, PORT]);
    goal = stateOf(agent);
    guards = guardsIn(goal.flows, ofportOf(agent));
    expect(guards.length).toBeGreaterThan(20);
    expect(admits(goal.flows, ofportOf(agent))).toBe(true);
    await agent.stop();
  });

  async function everyCrash(
    from: readonly PluggedPort[],
    act: (agent: MortalAgent) => void,
    next: 'up' | 'down' = 'up',
  ): Promise<{ readonly writes: number; readonly ends: readonly State[] }> {
    const ends: State[] = [];
    for (let survived = 0; ; survived++) {
      const agent = await wired(from);
      const breaches = watch(agent, guards);
      agent.dieAfter(survived);
      act(agent);
      await agent.untilIdle();
      const isWhole = agent.writes < survived;
      await agent.start(networks(next));
      ends.push(stateOf(agent));
      expect({ survived, breaches }).toEqual({ survived, breaches: [] });
      await agent.stop();
      if (isWhole) return { writes: survived - 1, ends };
    }
  }

  it('while it wires a port: the next start ends where it would have, and the port was never open without all that guards it', async () => {
    const { writes, ends } = await everyCrash([NEIGHBOUR], (agent) => agent.plug(PORT));
    expect(writes).toBeGreaterThanOrEqual(3);
    for (const end of ends) expect(end).toEqual(goal);
  }, 300_000);

  it('while it unwires a port that was unplugged: nothing of it is left', async () => {
    const { writes, ends } = await everyCrash([NEIGHBOUR, PORT], (agent) => agent.unplug(PORT));
    const [first] = ends;
    expect(writes).toBeGreaterThanOrEqual(1);
    for (const end of ends) expect(end).toEqual(first);
    expect(first?.flows.filter((flow) => guards.includes(flow))).toEqual([]);
  }, 300_000);

  it('while it wires a port, and the next start is told to shut it: the same, in the dead VLAN', async () => {
    const { ends } = await everyCrash([NEIGHBOUR], (agent) => agent.plug(PORT), 'down');
    const [first] = ends;
    for (const { flows, tag } of ends) expect({ flows, tag }).toEqual({ flows: first?.flows, tag: DEAD_VLAN });
  }, 300_000);
});
