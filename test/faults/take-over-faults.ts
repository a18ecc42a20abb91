import { type Ini, until } from '../support/bed';
import { patchbay } from '../support/bed-agent';
import { type Fault, stopAgent } from './fault';
import { type AgentKind, PLAIN, type Stage } from './stage';

const L2_POPULATION: Ini = { agent: { l2_population: true } };

interface Circumstances {
  readonly network?: 'vxlan';
  readonly settings?: Ini;
}

/** The host is the one agent's, as the measured change wants it, before the traffic starts. */
async function heldBy(stage: Stage, kind: AgentKind, settings: Ini): Promise<void> {
  if (stage.settings !== settings) await stage.set('reference', settings);
  if (stage.running === kind) return;
  await (kind === 'patchbay' ? takeOver(stage) : giveBack(stage));
}

function change(what: 'taken over from' | 'given back to', where: string, circumstances: Circumstances = {}): Fault {
  const { settings = PLAIN, network = 'vlan' } = circumstances;
  return {
    name: `${what} the reference agent${where}`,
    only: 'patchbay',
    begins: 'reference',
    bar: 0,
    run: async (stage) => {
      const isTaken = what === 'taken over from';
      await heldBy(stage, isTaken ? 'reference' : 'patchbay', settings);
      const before = await kept(stage);
      const measured = await stage.under(() => (isTaken ? takeOver(stage) : giveBack(stage)), {
        flows: 'any',
        network,
      });
      const after = await kept(stage);
      if (after !== before) throw new Error(`local VLANs or tunnels did not stay: ${before} became ${after}`);
      return measured;
    },
  };
}

/** What stays when another agent takes a host: the local VLAN of each instance, and the tunnels by name. */
async function kept(stage: Stage): Promise<string> {
  const taps = [stage.instance(0), stage.instance(2)].map(({ interfaceName }) => interfaceName);
  const tags = await Promise.all(taps.map((tap) => stage.host.vsctl('get', 'Port', tap, 'tag')));
  const ports = await stage.host.vsctl('list-ports', 'br-tun');
  return JSON.stringify([...tags, ports].map((text) => text.trim()));
}

export const takeOverFaults: readonly Fault[] = [
  change('taken over from', ''),
  change('given back to', ''),
  change('taken over from', ', tunnelled network', { network: 'vxlan' }),
  change('given back to', ', tunnelled network', { network: 'vxlan' }),
  change('taken over from', ', tunnelled network, l2population', { network: 'vxlan', settings: L2_POPULATION }),
  change('given back to', ', tunnelled network, l2population', { network: 'vxlan', settings: L2_POPULATION }),
];

/** The reference agent stops, Patchbay starts with the same files, and everything of the reference agent's is gone. */
export async function takeOver(stage: Stage): Promise<void> {
  await stopAgent(stage, 'SIGTERM');
  stage.startAgent('patchbay');
  await stage.agentSynced('patchbay');
  await until(async () => (await stage.status()).switch.takingOver.length === 0, {
    what: 'the take-over is complete',
    timeoutMs: stage.patienceMs,
  });
}

/** The upper half of every cookie of Patchbay's. */
const OURS = /cookie=0x50617463/;

export async function giveBack(stage: Stage): Promise<void> {
  await patchbay(stage.host, 'release');
  await until(() => stage.agent?.isRunning === false, { what: 'Patchbay has stopped', timeoutMs: stage.patienceMs });
  stage.startAgent('reference');
  await stage.agentSynced('reference');
  const isSwept = async (): Promise<true> => {
    const left = (await stage.host.ofctl('--no-stats', 'dump-flows', 'br-int'))
      .split('\n')
      .filter((flow) => OURS.test(flow));
    if (left.length > 0) throw new Error(left.slice(0, 3).join('; '));
    return true;
  };
  await until(isSwept, { what: 'the reference agent has swept', timeoutMs: stage.patienceMs });
}
