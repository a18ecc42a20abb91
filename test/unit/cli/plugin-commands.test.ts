import '../../support/no-terminal';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdminServer } from '../../../core/cli/admin/server';
import { ExitStatus, exitStatusOf } from '../../../core/cli/exit-status';
import { runProgram } from '../../../core/cli/program';
import type { AgentReports } from '../../../core/host/reports';

const runDir = mkdtempSync(join(tmpdir(), 'patchbay-cli-'));
const asked: unknown[] = [];

/** An agent whose plugin acme-mirror has one command. */
const agent: Partial<AgentReports> = {
  commands: () => [{ plugin: 'acme-mirror', name: 'list', summary: 'The ports that are mirrored', usage: '[PORT…]' }],
  command: async (...words) => {
    asked.push(words);
    if (words[1] === 'fail') throw new Error('PB-COMMAND-FAILED: acme-mirror could not do fail: no');
    return ['port-1'];
  },
};
const server = new AdminServer(join(runDir, 'patchbay.sock'), agent as AgentReports);

beforeAll(() => server.start());
afterAll(async () => {
  await server.stop();
  rmSync(runDir, { recursive: true });
});

async function patchbay(...words: readonly string[]) {
  const printed: string[] = [];
  const unused = () => {
    throw new Error('no agent is made in these tests');
  };
  const status = await runProgram(['node', 'patchbay', ...words], {
    stock: { plugins: {}, lists: { standalone: [], neutron: [] } },
    version: '0.0.0',
    createHost: unused,
    planAlone: unused,
    print: (text) => void printed.push(text),
    complain: () => undefined,
  }).catch((error: unknown) => {
    printed.push(error instanceof Error ? error.message : String(error));
    return exitStatusOf(error);
  });
  return { status, output: printed.join('\n') };
}

describe('a plugin’s own commands', () => {
  it('are run by the agent with their words, options among them', async () => {
    asked.length = 0;
    const { status, output } = await patchbay('acme-mirror', '--run-dir', runDir, 'list', 'port 1', '--all');
    expect({ status, answer: JSON.parse(output) }).toEqual({ status: ExitStatus.done, answer: ['port-1'] });
    expect(asked).toEqual([['acme-mirror', 'list', ['port 1', '--all']]]);
  });

  it('are listed when none is named', async () => {
    const { output } = await patchbay('acme-mirror', '--run-dir', runDir);
    expect(output).toMatch(/patchbay acme-mirror list +\[PORT…\] +The ports that are mirrored/);
  });

  it('end with the agent’s sentence where they fail, and where there are none', async () => {
    expect((await patchbay('acme-mirror', '--run-dir', runDir, 'fail')).output).toMatch(/could not do fail: no/);
    expect((await patchbay('acme-other', '--run-dir', runDir)).output).toMatch(/PB-CLI-6: .*acme-mirror/);
  });
});
