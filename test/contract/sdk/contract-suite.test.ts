import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProject } from '../../../core/cli/create/project';
import { Outside, run } from '../../support/outside';

jest.setTimeout(600_000);

const STATES = 'states plain data that its manifest claims and the switch takes, and says when that is complete';
const TOLD_TWICE = 'wants the same when facts are told twice';
const CONSTRUCTED = 'does no input or output, and asks no service, when it is constructed';

/** A class that breaks one promise, by what it does instead of a well-behaved plugin's `state`, and the test of the suite that says so. */
const BROKEN: Readonly<
  Record<
    string,
    {
      readonly members: string;
      readonly caught: string;
      readonly config?: string;
      /** There is a third parameter, and nothing says what it is. */
      readonly third?: string;
    }
  >
> = {
  'reads a file': { members: `text = fs.readFileSync('/etc/hostname', 'utf8');`, caught: CONSTRUCTED },
  'opens a connection': { members: `socket = net.connect('/nowhere').on('error', () => {});`, caught: CONSTRUCTED },
  'asks a service': { members: `known = this.desired.keys();`, caught: CONSTRUCTED },
  'makes a timer': { members: `timer = setInterval(() => {}, 1_000).unref();`, caught: CONSTRUCTED },
  counts: {
    members: `seen = 0; added(bound) { this.seen += 1; this.write(bound, this.seen); }`,
    caught: 'wants the same when facts are told twice',
  },
  'lets the first port decide': {
    members: `first; added(bound) { this.first ??= bound.port.id; if (bound.port.id === this.first) this.write(bound, 1); }`,
    caught: 'wants the same in whatever order facts are told',
  },
  'forgets nothing': { members: `removed() {}`, caught: 'leaves nothing behind when everything is released' },
  'differs from start to start': {
    members: `added(bound) { this.write(bound, starts); } start() { starts += 1; }`,
    caught: 'wants the same after a crash',
  },
  'leaves a timer': {
    members: `start() { this.timer = setInterval(() => {}, 60_000).unref(); }`,
    caught: 'leaves no timer when it has stopped',
  },
  'takes any option': {
    members: '',
    config: 'config: z.looseObject({}),',
    caught: 'refuses an option that it does not know',
  },
  'looks at its neighbours': {
    members: `added(bound) { this.write(bound, globalThis.neighbours ?? 1); }
      start() { this.view.ports(); globalThis.neighbours = (globalThis.neighbours ?? 0) + 1; }`,
    caught: 'goes on beside a plugin that throws in every hook',
  },
  'writes what it does not claim': {
    members: `added(bound) { this.write(bound, 1, 61); }`,
    caught: STATES,
  },
  'is never constructed': { members: '', third: 'one without @use', caught: TOLD_TWICE },
  'fails to start': { members: `start() { throw new Error('no'); }`, caught: TOLD_TWICE },
  'throws whenever a port is added': { members: `added() { throw new Error('no'); }`, caught: TOLD_TWICE },
  'misspells a field': {
    members: `write({ port, vif }) {
      this.desired.set('port/' + port.id, { flows: [{ bridge: vif.bridge, table: 60, priority: 7, match: { in_prt: 1 }, actions: [] }] });
    }`,
    caught: STATES,
  },
  'never says that it is complete': { members: `synced() {}`, caught: STATES },
  'does nothing': { members: `added() {}`, caught: STATES },
};

const source = (members: string, config = '', third = ''): string => `
  import fs from 'node:fs';
  import net from 'node:net';
  import { plugin, use, Service, parseFlow } from '@patchbay/sdk';
  import { describePluginContract } from '@patchbay/testing';
  import { z } from 'zod';
  let starts = 0;
  void [fs, net, z, starts];
  class Broken {
    constructor(desired, view) { this.desired = desired; this.view = view; this.begin?.(); }
    desired; view;
    write({ port, vif }, number, table = 60) {
      this.desired.set('port/' + port.id, { flows: [parseFlow(vif.bridge, \`table=\${table},priority=7,reg5=\${number},reg6=\${port.id.at(-1)} actions=drop\`)] });
    }
    added(bound) { this.write(bound, 1); }
    synced() { this.desired.complete(); }
    removed({ bound }) { this.desired.unset('port/' + bound.port.id); }
    tap(hooks) {
      hooks.onPortAdded((bound) => this.added(bound));
      hooks.onPortRemoved((removal) => this.removed(removal));
      hooks.onAgentSynced(() => this.synced());
    }
  }
  class Plugin extends Broken {
    constructor(desired, view${third && ', third'}) { super(desired, view); }
    ${members}
  }
  use(Service.desired)(Plugin, undefined, 0);
  use(Service.switchView)(Plugin, undefined, 1);
  plugin({ id: 'broken', summary: 'Breaks a promise', sdk: '^1.0.0', onFailure: 'degrade', ${config}
    claims: [{ bridge: 'integration', tables: [60] }] })(Plugin);
  describePluginContract(Plugin);
`;

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
    readonly message: string;
  }[];
}

let report: Report;
const outside = Outside.pack();

beforeAll(async () => {
  const { folder } = createProject({
    name: 'acme-broken',
    parent: outside.folder,
    packages: outside.packages,
    stock: [],
  });
  outside.install(folder);
  const file = (name: string) => join(folder, 'test', `${name.replaceAll(' ', '-')}.test.ts`);
  writeFileSync(file('keeps all'), source(''));
  for (const [name, { members, config, third }] of Object.entries(BROKEN))
    writeFileSync(file(name), source(members, config, third));
  const results = join(folder, 'results.json');
  const jestOf = join(folder, 'node_modules/jest/bin/jest.js');
  const words = [jestOf, '--json', `--outputFile=${results}`, '--testPathIgnorePatterns', 'plugin.test'];
  const env = { ...process.env, PATCHBAY_TEST_SWITCH: 'memory' };
  await run(process.execPath, words, { cwd: folder, env });
  report = JSON.parse(readFileSync(results, 'utf8')) as Report;
});
afterAll(() => outside.remove());

function failedOf(name: string): readonly string[] {
  const result = report.testResults.find((one) => one.name.endsWith(`/${name.replaceAll(' ', '-')}.test.ts`));
  if (result === undefined || result.assertionResults.length === 0)
    throw new Error(result?.message ?? `${name} did not run`);
  return result.assertionResults.flatMap(({ title, status }) => (status === 'passed' ? [] : [title]));
}

describe('the contract that plugins are held to', () => {
  it('has nothing to say of a plugin that keeps it', () => {
    expect(failedOf('keeps all')).toEqual([]);
  });

  it.each(Object.entries(BROKEN))('catches a plugin that %s', (name, { caught }) => {
    expect(failedOf(name)).toContain(caught);
  });
});
