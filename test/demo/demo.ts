/**
 * The demo's script, run inside a bed whose Open vSwitch is up (test/demo/run). Scenes run in order; the first that fails ends the demo.
 * With --shell, the visitor gets a shell in the bed before the agent is stopped.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository, run, until } from '../support/bed-command';
import { Guest, type GuestHost } from '../support/bed-guest';
import { Running } from '../support/bed-process';
import { aside, command, done, heading, verdict } from './stage';

/** In the bed /run is empty and goes with it. */
const folder = '/run/demo';
const networksFile = join(folder, 'networks.yaml');
const configurationFile = join(folder, 'patchbay.yaml');
const agentLog = join(folder, 'agent.log');
/** 198.18.0.0/15 is set aside for tests of networks (RFC 2544). */
const underlay = '198.19.0.1';

const output = (program: string, ...words: readonly string[]): string =>
  execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const vsctl = (...words: readonly string[]): string => output('ovs-vsctl', '--timeout=10', ...words).trim();
const patchbay = (...words: readonly string[]): string =>
  output(process.execPath, join(repository, 'core/bin/patchbay'), ...words);

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
    title: 'A private Open vSwitch',
    async play() {
      vsctl('add-br', 'br-provider', '--', 'set', 'Bridge', 'br-provider', 'datapath_type=netdev');
      execFileSync('ip', ['address', 'add', `${underlay}/32`, 'dev', 'lo']);
      const version = vsctl('get', 'Open_vSwitch', '.', 'ovs_version').replaceAll('"', '');
      aside(
        `Open vSwitch ${version} on a userspace datapath, with one bridge: br-provider, the way to a provider network.`,
      );
    },
  },
  {
    title: 'The agent, on two files: how it runs, and the networks it is to make',
    async play() {
      copyFileSync(join(__dirname, 'networks.yaml'), networksFile);
      writeFileSync(configurationFile, configuration());
      command('cat patchbay.yaml', configuration());
      command('cat networks.yaml', readFileSync(networksFile, 'utf8'));
      const start = [
        process.execPath,
        join(repository, 'core/bin/patchbay'),
        'run',
        '--config',
        configurationFile,
      ] as const;
      agent = Running.start(start, 'patchbay', agentLog);
      await until(() => patchbay('status', '--json').includes('"ready": true'), { what: 'the agent is ready' });
      command('patchbay plugins', patchbay('plugins'));
    },
  },
  {
    title: 'Four guests are plugged; a port is up once the switch has acknowledged all that any plugin wants for it',
    async play() {
      for (const guest of Object.values(guests)) await plug(guest);
      for (const name of Object.keys(guests)) await untilUp(name);
      command('patchbay explain blue-web', patchbay('explain', 'blue-web'));
    },
  },
  {
    title: 'Pings pass inside a network, and never between networks',
    async play() {
      await expectPing('blue-web', 'blue-db', 'answer');
      await expectPing('red-web', 'red-db', 'answer');
      await expectPing('blue-web', 'red-db', 'silence');
      await expectPing('red-web', 'blue-web', 'silence');
    },
  },
  {
    title: 'A guest that takes an address that is not its own is not heard',
    async play() {
      await guests['blue-db'].exec('ip', 'address', 'add', '10.0.0.99/24', 'dev', 'tapbluedb');
      const report = await guests['blue-db'].exec('bash', '-c', 'ping -q -I 10.0.0.99 -c 2 -W 1 10.0.0.1 || true');
      verdict('blue-db as 10.0.0.99', 'blue-web', / 0 received/.test(report) ? 'silence' : 'answer', 'silence');
    },
  },
  {
    title: 'An edit of networks.yaml is applied as it is saved: red-db is set down, then up again',
    async play() {
      const original = readFileSync(networksFile, 'utf8');
      const edited = original.replace('addresses: [10.0.0.4] }', 'addresses: [10.0.0.4], admin_state: down }');
      writeFileSync(networksFile, edited);
      await until(() => patchbay('explain', 'red-db').includes('isolated'), { what: 'red-db is isolated' });
      await expectPing('red-web', 'red-db', 'silence');
      writeFileSync(networksFile, original);
      await untilUp('red-db');
      await expectPing('red-web', 'red-db', 'answer');
    },
  },
  {
    title: 'What was built',
    async play() {
      aside(`${picture()}\n`);
      command('patchbay status', patchbay('status'));
      if (process.argv.includes('--shell')) lookAround();
    },
  },
  {
    title: 'The agent stops; what it wired goes on working',
    async play() {
      await agent?.stop('SIGTERM');
      await expectPing('blue-web', 'blue-db', 'answer');
    },
  },
];

function configuration(): string {
  return `agent:
  host: demo
  datapath_type: netdev
  state_dir: ${folder}/state
control_plane: standalone
plugins:
  - standalone: { networks: ${networksFile} }
  - bridge-mappings: { bridge_mappings: { physnet1: br-provider } }
  - tunnels: { local_ip: ${underlay}, tunnel_types: [vxlan] }
`;
}

/** The switch as it stands, drawn from what it says. */
function picture(): string {
  const tag = (name: Name) => `VLAN ${vsctl('get', 'Port', guests[name].interfaceName, 'tag')}`;
  const flows = (bridge: string) => {
    const lines = output('ovs-ofctl', '--protocols=OpenFlow13', 'dump-flows', bridge).split('\n');
    return `${bridge} ${lines.filter((line) => line.includes('actions=')).length}`;
  };
  return `
blue-web ─ tapblueweb ─ ${tag('blue-web')} ┐            ┌ patch-tun ─ br-tun, vxlan 100
blue-db  ─ tapbluedb  ─ ${tag('blue-db')} ┤            │
red-web  ─ tapredweb  ─ ${tag('red-web')} ├── br-int ──┤
red-db   ─ tapreddb   ─ ${tag('red-db')} ┘            └ int-br-provider ─ br-provider, vlan 200

flows: ${['br-int', 'br-tun', 'br-provider'].map(flows).join(', ')}
`.trim();
}

/** A shell in the bed while all runs. */
function lookAround(): void {
  const programs = join(folder, 'bin');
  mkdirSync(programs, { recursive: true });
  if (!existsSync(join(programs, 'patchbay'))) {
    symlinkSync(join(repository, 'core/bin/patchbay'), join(programs, 'patchbay'));
  }
  aside(
    'A shell inside. Try: patchbay explain red-db; ovs-ofctl dump-flows br-int; ip netns exec guest-blue-web ping 10.0.0.2',
  );
  aside(`The files are in ${folder}: edit networks.yaml and look at agent.log. "exit" goes on.`);
  spawnSync('bash', ['--norc'], {
    stdio: 'inherit',
    cwd: folder,
    env: { ...process.env, PATH: `${programs}:${process.env.PATH}`, PS1: 'demo$ ' },
  });
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

async function expectPing(from: Name, to: Name, expected: 'answer' | 'silence'): Promise<void> {
  const [address = ''] = guests[to].addresses[0]?.split('/') ?? [];
  const { received } = await guests[from].ping(address, { count: 2 });
  verdict(from, to, received > 0 ? 'answer' : 'silence', expected);
}

async function main(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [index, scene] of scenes.entries()) {
    heading(index + 1, scenes.length, scene.title);
    await scene.play();
  }
  done('The switch, the agent and the guests end with this line; nothing of them stays.');
}

main()
  .catch((error: unknown) => {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : error}`);
    if (agent !== undefined)
      console.error(`The end of the agent's log:\n${agent.log().split('\n').slice(-40).join('\n')}`);
    process.exitCode = 1;
  })
  .finally(() => agent?.crash());
