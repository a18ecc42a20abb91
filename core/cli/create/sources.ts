import type { ProjectNames } from './naming';

/** The plugin's own files: what its author reads first and changes. */
export function sourceFiles({ packageName, id, className }: ProjectNames): Readonly<Record<string, string>> {
  return {
    'src/plugin.ts': `import 'reflect-metadata';
import {
  type AgentHooks,
  type BoundPort,
  type DesiredState,
  IntegrationTable,
  type Plugin,
  plugin,
  Service,
  use,
} from '@patchbay/sdk';
import { z } from 'zod';
import { blocked } from './flows';

export const ${className}Config = z.strictObject({
  /** UDP ports that no server may send to. */
  udp_ports: z.array(z.int().min(1).max(65535)).default([]),
});
export type ${className}Config = z.infer<typeof ${className}Config>;

/**
 * Drops what ports send to certain UDP ports.
 *
 * Owns:  one flow a port and UDP port, in the integration bridge's table 60 at priority 200.
 * Never: looks at what ports receive.
 */
@plugin({
  id: '${id}',
  summary: 'Drops what ports send to certain UDP ports',
  sdk: '^1.0.0',
  config: ${className}Config,
  claims: [{ bridge: 'integration', tables: [IntegrationTable.transient], priorities: [200, 200] }],
  onFailure: 'degrade',
})
export class ${className} implements Plugin {
  constructor(
    @use(Service.config) private readonly config: ${className}Config,
    @use(Service.desired) private readonly desired: DesiredState,
  ) {}

  tap(hooks: AgentHooks): void {
    hooks.onPortAdded((bound) => this.state(bound));
    hooks.onPortUpdated(({ current }) => this.state(current));
    hooks.onPortRemoved(({ bound }) => this.desired.unset(\`port/\${bound.port.id}\`));
    hooks.onAgentSynced(() => this.desired.complete());
  }

  private state({ port, vif }: BoundPort): void {
    this.desired.set(\`port/\${port.id}\`, { flows: blocked(vif, this.config.udp_ports) });
  }
}
`,
    'src/flows.ts': `import { drop, type Flow, flow, IntegrationTable, port, protocol, type Vif } from '@patchbay/sdk';

/** Facts in, flows out: nothing here asks or tells anybody anything, so a test needs no agent. */
export function blocked(vif: Vif, udpPorts: readonly number[]): readonly Flow[] {
  return udpPorts.flatMap((udpPort) =>
    [protocol.udp, protocol.udp6].map((family) =>
      flow({
        bridge: vif.bridge,
        table: IntegrationTable.transient,
        priority: 200,
        match: { in_port: port(vif.portName), ...family, udp_dst: udpPort },
        actions: drop,
      }),
    ),
  );
}
`,
    'src/index.ts': `export { ${className} as default } from './plugin';
`,
    'test/plugin.test.ts': `import { aPort, aRemoval, describePluginContract, Kit } from '@patchbay/testing';
import { ${className} } from '../src/plugin';

const options = { udp_ports: [19] };

// What every plugin owes: the same for facts told twice or in another order, nothing left behind, and more.
describePluginContract(${className}, { options });

describe('${id}', () => {
  let kit: Kit;
  beforeEach(async () => {
    kit = await Kit.start({ plugins: [${className}], options: { '${id}': options } });
  });
  afterEach(() => kit.stop());

  it('drops what a port sends to a blocked UDP port', async () => {
    await kit.plug({ name: 'tap-port-1' });
    await kit.fire.onPortAdded(aPort({ id: 'port-1' }));
    const flows = \`
      table=60,priority=200,udp,in_port="tap-port-1",udp_dst=19 actions=drop
      table=60,priority=200,udp6,in_port="tap-port-1",udp_dst=19 actions=drop\`;
    expect(kit).toWantFlows('br-int', flows);
    await expect(kit).toHaveFlows('br-int', flows);
  });

  it('leaves nothing when the port goes', async () => {
    await kit.plug({ name: 'tap-port-1' });
    await kit.fire.onPortAdded(aPort({ id: 'port-1' }));
    await kit.fire.onPortRemoved(aRemoval({ id: 'port-1' }));
    await expect(kit).toHaveFlows('br-int', '');
  });
});
`,
    'README.md': `# ${packageName}

A plugin for Patchbay: drops what ports send to certain UDP ports.

## What it owns

One flow a port and UDP port, in the integration bridge's table 60 at priority 200. The manifest in \`src/plugin.ts\` claims that and no more; what it states beyond is refused.

## Options

| option | default | |
|---|---|---|
| \`udp_ports\` | none | UDP ports that no server may send to |

## Develop

A folder \`patchbay/\`, if there is one, holds the tarballs of Patchbay that the project was made with: commit them, and CI has all it needs.

\`\`\`sh
npm install
npm test                            # on a switch in memory
PATCHBAY_TEST_SWITCH=ovs npm test   # the same tests on a real Open vSwitch of their own; needs openvswitch-switch installed
npm run lint
npm run build
\`\`\`

## Run

Put it on the plugin list, as in \`patchbay.yaml\`, and start the agent: \`npx patchbay run --config patchbay.yaml\` needs root and a running Open vSwitch. \`npx patchbay plugins\` shows it, \`npx patchbay explain PORT\` its flows.

## Publish

\`npm pack\` makes the tarball that operators install beside the agent. Patchbay, tsyringe, zod and reflect-metadata are peer dependencies: there must be one copy of each.
`,
  };
}
