import '../../support/no-terminal';
import { printPlugins } from '../../../core/cli/print/reports';
import type { PluginReport } from '../../../core/host/reports';

const plugin: PluginReport = {
  order: 1,
  id: 'tunnels',
  summary: 'Tunnels to the other hosts',
  state: 'running',
  from: 'stock list',
  hooks: [],
  provides: [],
  requires: [],
  isolation: 'worker',
  tables: {},
  startMs: 1.25,
};

describe('the list of plugins', () => {
  it('folds many hooks into lines of their column', () => {
    const hooks = [
      'onSegmentBound',
      'onSegmentReleased',
      'onTunnelEndpointAdded',
      'onTunnelEndpointRemoved',
      'onAgentSynced',
    ];
    const [head = '', ...lines] = printPlugins([{ ...plugin, hooks }]).split('\n');
    const column = head.indexOf('HOOKS');
    expect(lines.filter((line) => line !== '').map((line) => line.slice(column))).toEqual([
      'onSegmentBound onSegmentReleased onTunnelEndpointAdded',
      'onTunnelEndpointRemoved onAgentSynced',
    ]);
  });

  it('has no colour codes where the output is no terminal', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
    expect(printPlugins([plugin])).not.toMatch(/\u001b/);
  });
});
