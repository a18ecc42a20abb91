import { reasonOf } from '@patchbay/sdk';
import 'reflect-metadata';
import { STOCK } from '@patchbay/plugins';
import { exitStatusOf } from './cli/exit-status';
import { runProgram } from './cli/program';
import { createHost } from './host/agent-host';
import type { Stock } from './host/host';
import { planAlone } from './host/plan-alone';
import { VERSION } from './version';

const WIRING = ['integration-bridge', 'bridge-mappings', 'tunnels', 'local-vlan', 'anti-spoofing', 'port-binding'];

/** The plugins that come with the agent: the only place of the host that names them. */
export const stock: Stock = {
  plugins: STOCK,
  lists: { standalone: ['standalone', ...WIRING, 'heartbeat'], neutron: ['neutron', ...WIRING, 'heartbeat'] },
};

const complain = (sentence: string) => process.stderr.write(`patchbay: ${sentence}\n`);

/** The `patchbay` command. */
export async function main(argv: readonly string[]): Promise<never> {
  let status: number;
  // Whoever reads may stop reading, as `head` does: nothing is amiss then.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  try {
    const print = (text: string) => process.stdout.write(`${text}\n`);
    status = await runProgram(argv, { stock, version: VERSION, createHost, planAlone, print, complain });
  } catch (error) {
    complain(reasonOf(error));
    status = exitStatusOf(error);
  }
  process.exit(status);
}
