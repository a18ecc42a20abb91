import 'reflect-metadata';
import { STOCK } from '@patchbay/plugins';
import { runProgram } from './cli/program';
import { createHost, planAlone } from './host/agent-host';
import type { Stock } from './host/host';
import { VERSION } from './version';

const WIRING = ['integration-bridge', 'bridge-mappings', 'tunnels', 'local-vlan', 'anti-spoofing', 'port-binding'];

/** The plugins that come with the agent: the only place of the host that names them. */
export const stock: Stock = {
  plugins: STOCK,
  lists: { standalone: ['standalone', ...WIRING, 'heartbeat'], neutron: ['neutron', ...WIRING, 'heartbeat'] },
};

/** The `patchbay` command. */
export async function main(argv: readonly string[]): Promise<never> {
  let status: number;
  try {
    const print = (text: string) => process.stdout.write(`${text}\n`);
    status = await runProgram(argv, { stock, version: VERSION, createHost, planAlone, print });
  } catch (error) {
    process.stderr.write(`patchbay: ${error instanceof Error ? error.message : String(error)}\n`);
    status = 1;
  }
  process.exit(status);
}
