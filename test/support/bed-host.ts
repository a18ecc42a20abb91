import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argvOf, type Command, repository, run, until } from './bed-command';
import { Capture, type CaptureOptions, Guest } from './bed-guest';
import { type Ini, iniText, mergeIni } from './bed-ini';
import { Running } from './bed-process';
import { COMPARED_COLUMNS, type ComparedTable, comparedFlows, comparedRows, type Row } from './bed-rows';

export interface PlugOptions {
  /** Addresses with their prefix length, as `10.0.0.5/24` or `fd00::5/64`. */
  readonly addresses?: readonly string[];
  /** Interface `external_ids:vm-uuid`; the port's id if not given. */
  readonly deviceId?: string;
  readonly bridge?: string;
}

/** Either an ini in oslo.config's form, merged over {@link Host.agentDefaults}, or the whole text of a YAML file; and further words. */
export interface PatchbayOptions {
  readonly ini?: Ini;
  readonly yaml?: string;
  readonly argv?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A host of the bed: its own network, mounts and Open vSwitch. See test/bed/hosts for its addresses and bridges. */
export class Host {
  readonly name: string;
  /** On the host's underlay bridge: what `local_ip` must be. */
  readonly underlay: { readonly ipv4: string; readonly ipv6: string };
  /** Its address towards the control plane. */
  readonly management: string;
  private readonly firstProcess: string;
  private readonly running = new Set<Running>();
  private readonly guests: Guest[] = [];
  private logs = 0;
  private configurationWords: readonly string[] = [];

  constructor(
    readonly number: number,
    private readonly bedFolder: string,
  ) {
    this.name = `host${number}`;
    this.management = `198.18.0.1${number}`;
    this.underlay = { ipv4: `198.19.0.${number}`, ipv6: `fd00:198:19::${number}` };
    this.firstProcess = readFileSync(join(this.folder, 'pid'), 'utf8').trim();
  }

  /** Outside the host's own mounts, so everyone in the bed can read it. */
  get folder(): string {
    return join(this.bedFolder, `host${this.number}`);
  }

  within(argv: readonly [program: string, ...argv: string[]]): readonly [program: string, ...argv: string[]] {
    const spaces = ['--mount', '--net', '--uts', '--ipc'];
    return ['nsenter', '--target', this.firstProcess, ...spaces, '--', 'env', '-C', repository, ...argv];
  }

  /** Runs a command in the host and gives what it wrote to standard output. */
  exec(command: Command): Promise<string> {
    return run(this.within(argvOf(command)));
  }

  vsctl(...words: readonly string[]): Promise<string> {
    return this.exec(['ovs-vsctl', '--timeout=60', ...words]);
  }

  /** `ofctl('dump-groups', 'br-int')`; offers OpenFlow 1.0, 1.3 and 1.4. */
  ofctl(...words: readonly string[]): Promise<string> {
    return this.exec(['ovs-ofctl', '-O', 'OpenFlow10,OpenFlow13,OpenFlow14', ...words]);
  }

  appctl(...words: readonly string[]): Promise<string> {
    return this.exec(['ovs-appctl', '--timeout=60', ...words]);
  }

  /** Installed flows, sorted, ports by name, without counters; cookies only if asked for. */
  async dumpFlows(
    bridge: string,
    cookies: 'with cookies' | 'without cookies' = 'without cookies',
  ): Promise<readonly string[]> {
    return comparedFlows(await this.ofctl('--names', '--no-stats', 'dump-flows', bridge), cookies);
  }

  /** Rows of a table, sorted by name, references by name, in the columns an agent decides. */
  async rows(table: ComparedTable): Promise<readonly Row[]> {
    const tables = Object.keys(COMPARED_COLUMNS) as ComparedTable[];
    const listings = await Promise.all(
      tables.map(async (one) => [one, await this.vsctl('--format=json', 'list', one)] as const),
    );
    return comparedRows(table, Object.fromEntries(listings) as Record<ComparedTable, string>);
  }

  /**
   * Plugs a port as Nova does: an interface named after the port, of type internal, marked with the port's id, in a guest that
   * carries its MAC and addresses.
   */
  async plug(portId: string, mac: string, options: PlugOptions = {}): Promise<Guest> {
    const { addresses = [], deviceId = portId, bridge = 'br-int' } = options;
    const name = `tap${portId.slice(0, 11)}`;
    const guest = new Guest(this, portId, name, mac, addresses);
    const marks = { 'iface-id': portId, 'attached-mac': mac, 'iface-status': 'active', 'vm-uuid': deviceId };
    const externalIds = Object.entries(marks).map(([key, value]) => `external_ids:${key}="${value}"`);
    // An agent may be ready a moment before ovs-vswitchd has made the bridge that it asked for.
    await until(async () => (await this.vsctl('br-exists', bridge)) === '', { what: `${bridge} is there` });
    await this.exec(['ip', 'netns', 'add', guest.namespace]);
    await this.vsctl('add-port', bridge, name, '--', 'set', 'Interface', name, 'type=internal', ...externalIds);
    await guest.attach();
    this.guests.push(guest);
    return guest;
  }

  /** Watches an interface of the host itself, as `wire2` (underlay) or `cable2` (provider network). */
  capture(interfaceName: string, options: CaptureOptions = {}): Promise<Capture> {
    return Capture.start((argv) => this.within(argv), interfaceName, options, this.logFile(`${interfaceName}-capture`));
  }

  /** What both agents are told unless a test says otherwise: vxlan by flooding and learning, physnet1 on br-ex, the openvswitch firewall. */
  agentDefaults(): Ini {
    return {
      DEFAULT: {
        host: this.name,
        transport_url: 'rabbit://guest:guest@198.18.0.1:5672/',
        state_path: this.folder,
      },
      ovs: { local_ip: this.underlay.ipv4, bridge_mappings: 'physnet1:br-ex', datapath_type: 'netdev' },
      agent: { tunnel_types: 'vxlan', l2_population: false, root_helper: '' },
      securitygroup: { firewall_driver: 'openvswitch' },
      oslo_concurrency: { lock_path: join(this.folder, 'lock') },
      // The reference agent ignores the section. Hosts of a bed share /var/lib with the machine, and must not share this.
      patchbay: { state_dir: join(this.folder, 'patchbay') },
    };
  }

  /** Starts neutron-openvswitch-agent as this host's agent. It is alive for the server some seconds later. */
  startReferenceAgent(overrides: Ini = {}): Running {
    const files = this.writeIni(mergeIni(this.agentDefaults(), overrides));
    return this.start('neutron-openvswitch-agent', ['neutron-openvswitch-agent', ...files]);
  }

  /** Starts `patchbay run`, as built, as this host's agent. */
  startPatchbay({ ini = {}, yaml, argv = [], environment = {} }: PatchbayOptions = {}): Running {
    const files =
      yaml === undefined
        ? this.writeIni(mergeIni(this.agentDefaults(), ini))
        : ['--config', this.writeConfiguration('patchbay.yaml', yaml)];
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const patchbay = join(repository, 'core/bin/patchbay');
    return this.start('patchbay', ['env', ...variables, process.execPath, patchbay, 'run', ...files, ...argv]);
  }

  /** The words that name the ini files of the agent that was started last. */
  configurationFiles(): readonly string[] {
    return this.configurationWords;
  }

  /** Starts any program in the host; it is stopped with the host at the latest. */
  start(name: string, argv: readonly [program: string, ...argv: string[]]): Running {
    const running = Running.start(this.within(argv), name, this.logFile(name));
    this.running.add(running);
    return running;
  }

  /**
   * Kills ovs-vswitchd and starts it again: flows are lost, rows are kept. The new one does not find the taps that are in
   * guests and makes others, so plugged guests are attached again; on a kernel datapath they would have stayed.
   */
  async restartSwitch(): Promise<void> {
    const pid = Number(await this.exec('cat /run/openvswitch/ovs-vswitchd.pid'));
    await this.exec(`kill -KILL ${pid} && while kill -0 ${pid} 2>/dev/null; do sleep 0.02; done`);
    await this.exec([join(repository, 'test/bed/service'), 'switch']);
    await until(() => this.exec(['ip', 'link', 'show', 'br-underlay']));
    await this.exec([join(repository, 'test/bed/hosts'), 'address', String(this.number)]);
    for (const guest of this.guests.filter((one) => one.isPlugged)) {
      await guest.detach();
      await until(() => this.exec(['ip', 'link', 'show', guest.interfaceName]));
      await guest.attach();
    }
  }

  /** Of a name that no earlier program had: hosts come and go in one bed, and their logs stay. */
  logFile(name: string): string {
    this.logs = Math.max(this.logs, readdirSync(this.folder).length) + 1;
    return join(this.folder, `${String(this.logs).padStart(3, '0')}-${name}.log`);
  }

  async stopPrograms(): Promise<void> {
    await Promise.all([...this.running].map((running) => running.crash()));
    this.running.clear();
  }

  /** As packages lay it out: what all of Neutron's programs share in one file, the agent's own in another. */
  private writeIni(ini: Ini): readonly string[] {
    const isShared = (section: string) => section === 'DEFAULT' || section.startsWith('oslo_');
    const part = (wanted: (section: string) => boolean) =>
      iniText(Object.fromEntries(Object.entries(ini).filter(([section]) => wanted(section))));
    const shared = this.writeConfiguration('neutron.conf', part(isShared));
    const own = this.writeConfiguration(
      'openvswitch_agent.ini',
      part((section) => !isShared(section)),
    );
    this.configurationWords = ['--config-file', shared, '--config-file', own];
    return this.configurationWords;
  }

  private writeConfiguration(name: string, text: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, text);
    return file;
  }
}
