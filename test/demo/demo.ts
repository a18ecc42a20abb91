/** The demo's script, run inside a bed whose Open vSwitch is up (test/demo/run). Scenes run in order; the first that fails ends the demo. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository, run, until } from '../support/bed-command';
import { Guest, type GuestHost } from '../support/bed-guest';
import { Running } from '../support/bed-process';

const folder = mkdtempSync(join(tmpdir(), 'patchbay-demo-'));
const networksFile = join(folder, 'networks.yaml');
const agentLog = join(folder, 'agent.log');
const cable = '198.19.0.1';

const vsctl = (...words: readonly string[]): string =>
  execFileSync('ovs-vsctl', ['--timeout=10', ...words], { encoding: 'utf8' });
const patchbay = (...words: readonly string[]): string =>
  execFileSync(process.execPath, [join(repository, 'core/bin/patchbay'), ...words], { encoding: 'utf8' });

const host: GuestHost = {
  within: (argv) => argv,
  vsctl: (...words) => run(['ovs-vsctl', '--timeout=10', ...words]),
  logFile: (name) => join(folder, `${name}.log`),
};

const guests = {
  'blue-web': new Guest(host, 'blue-web', 'tapblueweb', 'fa:16:3e:00:00:01', ['10.0.0.1/24']),
  'blue-db': new Guest(host, 'blue-db', 'tapbluedb', 'fa:16:3e:00:00:02', ['10.0.0.2/24']),
  'red-web': new Guest(host, 'red-web', 'tapredweb', 'fa:16:3e:00:00:03', ['10.0.0.3/24']),
  'red-db': new Guest(host, 'red-db', 'tapreddb', 'fa:16:3e:00:00:04', ['10.0.0.4/24']),
};
type Name = keyof typeof guests;

let agent: Running | undefined;

interface Scene {
  /** Said before the scene is played. */
  readonly title: string;
  play(): Promise<void>;
}

const scenes: readonly Scene[] = [
  {
    title: 'An Open vSwitch of its own, on a userspace datapath, with a provider bridge',
    async play() {
      vsctl('add-br', 'br-provider', '--', 'set', 'Bridge', 'br-provider', 'datapath_type=netdev');
      execFileSync('ip', ['address', 'add', `${cable}/32`, 'dev', 'lo']);
      console.log(vsctl('get', 'Open_vSwitch', '.', 'ovs_version').trim());
    },
  },
  {
    title: 'The agent, on two files: what it runs, and the networks',
    async play() {
      copyFileSync(join(__dirname, 'networks.yaml'), networksFile);
      mkdirSync('/run/patchbay', { recursive: true });
      const file = join(folder, 'patchbay.yaml');
      writeFileSync(file, configuration());
      console.log(configuration());
      console.log(readFileSync(networksFile, 'utf8'));
      const command = [process.execPath, join(repository, 'core/bin/patchbay'), 'run', '--config', file] as const;
      agent = Running.start(command, 'patchbay', agentLog);
      await until(() => patchbay('status', '--json').includes('"ready": true'), { what: 'the agent is ready' });
      console.log(patchbay('plugins'));
    },
  },
  {
    title: 'Four ports, plugged as Nova would; each is wired when the switch has acknowledged it',
    async play() {
      for (const guest of Object.values(guests)) await plug(guest);
      for (const name of Object.keys(guests)) await untilUp(name);
      console.log(patchbay('explain', 'blue-web'));
    },
  },
  {
    title: 'Pings pass inside a network, and never between networks',
    async play() {
      await expectPing('blue-web', 'blue-db', 'passes');
      await expectPing('red-web', 'red-db', 'passes');
      await expectPing('blue-web', 'red-db', 'fails');
      await expectPing('red-web', 'blue-web', 'fails');
    },
  },
  {
    title: "A guest that takes another's address is not heard",
    async play() {
      await guests['blue-db'].exec('ip', 'address', 'add', '10.0.0.99/24', 'dev', 'tapbluedb');
      const report = await guests['blue-db'].exec('bash', '-c', 'ping -q -I 10.0.0.99 -c 2 -W 1 10.0.0.1 || true');
      verdict('blue-db as 10.0.0.99 → blue-web', / 0 received/.test(report), 'fails');
    },
  },
  {
    title: 'An edit of the networks file is applied as it is saved: red-db goes down, and comes back',
    async play() {
      const original = readFileSync(networksFile, 'utf8');
      writeFileSync(
        networksFile,
        original.replace('addresses: [10.0.0.4] }', 'addresses: [10.0.0.4], admin_state: down }'),
      );
      await until(() => patchbay('explain', 'red-db').includes('isolated'), { what: 'red-db is isolated' });
      await expectPing('red-web', 'red-db', 'fails');
      writeFileSync(networksFile, original);
      await untilUp('red-db');
      await expectPing('red-web', 'red-db', 'passes');
    },
  },
  {
    title: 'What was built',
    async play() {
      console.log(vsctl('show'));
      console.log(patchbay('status'));
    },
  },
  {
    title: 'The agent stops; the flows stay, and the pings with them',
    async play() {
      await agent?.stop('SIGTERM');
      await expectPing('blue-web', 'blue-db', 'passes');
    },
  },
];

function configuration(): string {
  return `agent:
  host: demo
  datapath_type: netdev
  run_dir: /run/patchbay
  state_dir: ${folder}
control_plane: standalone
plugins:
  - standalone: { networks: ${networksFile} }
  - bridge-mappings: { bridge_mappings: { physnet1: br-provider } }
  - tunnels: { local_ip: ${cable}, tunnel_types: [vxlan] }
`;
}

async function plug(guest: Guest): Promise<void> {
  execFileSync('ip', ['netns', 'add', guest.namespace]);
  const marks = { 'iface-id': guest.portId, 'attached-mac': guest.mac, 'iface-status': 'active' };
  const externalIds = Object.entries(marks).map(([key, value]) => `external_ids:${key}="${value}"`);
  const name = guest.interfaceName;
  vsctl('add-port', 'br-int', name, '--', 'set', 'Interface', name, 'type=internal', ...externalIds);
  await guest.attach();
}

async function untilUp(name: string): Promise<void> {
  await until(() => / up\b/.test(patchbay('explain', name).split('\n')[0] ?? ''), { what: `${name} is up` });
}

async function expectPing(from: Name, to: Name, expected: 'passes' | 'fails'): Promise<void> {
  const [address = ''] = guests[to].addresses[0]?.split('/') ?? [];
  const { received } = await guests[from].ping(address, { count: 2 });
  verdict(`${from} → ${to}`, expected === 'passes' ? received > 0 : received === 0, expected);
}

function verdict(what: string, isSo: boolean, expected: 'passes' | 'fails'): void {
  console.log(`   ${isSo ? 'ok ' : 'BAD'}  ping ${what.padEnd(38)} ${expected}${isSo ? '' : ': it does not'}`);
  if (!isSo)
    throw new Error(`a ping that ${expected === 'passes' ? 'should pass failed' : 'should fail passed'}: ${what}`);
}

async function main(): Promise<void> {
  for (const [index, scene] of scenes.entries()) {
    console.log(`\n${index + 1}. ${scene.title}\n`);
    await scene.play();
  }
  console.log('\nThat was all of it: the switch, the agent and the guests are gone when this ends.');
}

main()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    console.error(agent?.log().split('\n').slice(-40).join('\n') ?? '');
    process.exitCode = 1;
  })
  .finally(() => agent?.crash());
