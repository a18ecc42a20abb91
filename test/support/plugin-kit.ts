import {
  type Action,
  type AgentHooks,
  type AgentIdentity,
  type BoundPort,
  type BridgeView,
  type DesiredRecords,
  type DesiredState,
  type Effects,
  type Flow,
  type Health,
  HOOKS,
  type HookName,
  type InterfaceView,
  type Jobs,
  type KeyProgress,
  type LearnedFlows,
  type Logger,
  matchFields,
  type PortDescription,
  type PortView,
  parseFlows,
  type Segment,
  type SwitchChange,
  type SwitchSummary,
  type SwitchView,
  type Synchronisation,
  type Vif,
  valueBytes,
} from '@patchbay/sdk';

export const IDENTITY: AgentIdentity = {
  host: 'host1',
  version: '0.1.0',
  integrationBridge: 'br-int',
  tunnelBridge: 'br-tun',
  datapathType: 'system',
};

/** Records what a plugin states, key by key. */
export class FakeDesired implements DesiredState {
  readonly stated = new Map<string, DesiredRecords>();
  /** Every set and unset, in order. */
  readonly history: string[] = [];
  isComplete = false;

  set(key: string, records: DesiredRecords): void {
    this.history.push(`set ${key}`);
    this.stated.set(key, structuredClone(records));
  }

  unset(key: string): void {
    this.history.push(`unset ${key}`);
    this.stated.delete(key);
  }

  keys(): readonly string[] {
    return [...this.stated.keys()];
  }

  async progress(key: string): Promise<KeyProgress> {
    return { state: this.stated.has(key) ? 'applied' : 'unset' };
  }

  complete(): void {
    this.isComplete = true;
  }

  records(key: string): DesiredRecords {
    const records = this.stated.get(key);
    if (records === undefined) throw new Error(`nothing is stated under ${key}; keys: ${this.keys().join(', ')}`);
    return records;
  }

  flows(key?: string): readonly Flow[] {
    const all = key === undefined ? [...this.stated.values()] : [this.records(key)];
    return all.flatMap((records) => records.flows ?? []);
  }
}

/** A tap as a test fires it. Tests know which payload a hook takes. */
type AnyTap = (payload: unknown, context: unknown) => unknown;

/** Collects taps so that a test can fire them. */
export class FakeHooks {
  private readonly taps = new Map<HookName, AnyTap[]>();
  readonly hooks: AgentHooks;

  constructor() {
    const entries = (Object.keys(HOOKS) as HookName[]).map((name) => [
      name,
      (tap: AnyTap) => this.taps.set(name, [...(this.taps.get(name) ?? []), tap]),
    ]);
    this.hooks = Object.fromEntries(entries) as AgentHooks;
  }

  /** Fires a hook with a copy of the payload; the answers of its taps. */
  async fire<H extends HookName>(
    hook: H,
    payload: Parameters<Parameters<AgentHooks[H]>[0]>[0],
  ): Promise<readonly unknown[]> {
    const context = { signal: new AbortController().signal, cause: 'test' };
    const answers: unknown[] = [];
    for (const tap of this.taps.get(hook) ?? []) answers.push(await tap(structuredClone(payload), context));
    return answers;
  }

  isTapped(hook: HookName): boolean {
    return (this.taps.get(hook) ?? []).length > 0;
  }
}

/** A switch whose rows a test sets and changes. */
export class FakeSwitch implements SwitchView {
  private readonly listeners = new Set<(changes: readonly SwitchChange[]) => void>();
  bridgeRows: BridgeView[] = [];
  portRows: PortView[] = [];
  state: SwitchSummary = {
    ovsVersion: '3.1.0',
    datapathTypes: ['netdev', 'system'],
    interfaceTypes: ['patch', 'vxlan'],
    hardwareOffload: false,
    connected: true,
  };

  summary = async (): Promise<SwitchSummary> => this.state;
  bridges = async (): Promise<readonly BridgeView[]> => this.bridgeRows;
  ports = async (bridge?: string): Promise<readonly PortView[]> =>
    this.portRows.filter((port) => bridge === undefined || port.bridge === bridge);
  flows = async (): Promise<readonly (Flow & { readonly cookie: bigint })[]> => [];

  watch(listener: (changes: readonly SwitchChange[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  change(...changes: readonly SwitchChange[]): void {
    for (const listener of this.listeners) listener(changes);
  }

  addPort(row: PortView): void {
    this.portRows.push(row);
    this.change({ kind: 'port-added', port: row, cause: 'test' });
  }

  removePort(name: string): void {
    const row = this.portRows.find((port) => port.name === name);
    if (row === undefined) throw new Error(`no port ${name}`);
    this.portRows = this.portRows.filter((port) => port !== row);
    this.change({ kind: 'port-removed', port: row, cause: 'test' });
  }

  addBridge(row: BridgeView): void {
    this.bridgeRows.push(row);
    this.change({ kind: 'bridge-added', bridge: row, cause: 'test' });
  }
}

/** Runs work at once, in order of calling; `settle` waits for it. What fails is kept, and run again by `retry`. */
export class FakeJobs implements Jobs {
  private readonly underWay = new Set<Promise<void>>();
  private readonly failed = new Map<string, () => void>();
  private readonly running = new Map<string, AbortController>();
  readonly periodic = new Map<string, { readonly intervalMs: number; readonly work: () => Promise<void> | void }>();

  every(name: string, intervalMs: number, work: (signal: AbortSignal) => Promise<void> | void): () => void {
    this.periodic.set(name, { intervalMs, work: () => work(new AbortController().signal) });
    return () => this.periodic.delete(name);
  }

  /** Work that waits is done by `retry`. */
  after(name: string, delayMs: number, work: (signal: AbortSignal) => Promise<void> | void): () => void {
    const start = () => this.untilDone(name, undefined, async (signal) => work(signal));
    if (delayMs === 0) return start();
    this.failed.set(name, start);
    return () => this.failed.delete(name);
  }

  untilDone(
    name: string,
    _backoff: unknown,
    work: (signal: AbortSignal, attempt: number) => Promise<void>,
    attempt = 1,
  ): () => void {
    this.running.get(name)?.abort();
    const controller = new AbortController();
    this.running.set(name, controller);
    const run = Promise.resolve()
      .then(() => (controller.signal.aborted ? undefined : work(controller.signal, attempt)))
      .catch(() => {
        if (!controller.signal.aborted) {
          this.failed.set(name, () => this.untilDone(name, undefined, work, attempt + 1));
        }
      })
      .finally(() => this.underWay.delete(run));
    this.underWay.add(run);
    return () => controller.abort();
  }

  async settle(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  /** Lets every failed work try again, and waits. */
  async retry(): Promise<void> {
    await this.settle();
    const again = [...this.failed.values()];
    this.failed.clear();
    for (const start of again) start();
    await this.settle();
  }

  hasFailed(name: string): boolean {
    return this.failed.has(name);
  }
}

export class FakeEffects implements Effects {
  readonly forgotten: LearnedFlows[] = [];
  readonly flushed: number[] = [];
  failing = false;
  /** Held back until a test lets it go. */
  gate: Promise<void> = Promise.resolve();

  async packetOut(): Promise<void> {}

  async flushConntrack(zone: number): Promise<void> {
    this.flushed.push(zone);
  }

  async deleteLearned(flows: LearnedFlows): Promise<void> {
    if (this.failing) throw new Error('the switch does not answer');
    this.forgotten.push(structuredClone(flows));
    if (flows.when === 'settled') await this.gate;
  }
}

export class FakeHealth implements Health {
  readonly conditions = new Map<string, { readonly level: string; readonly detail: string }>();

  report(condition: string, level: 'ok' | 'degraded' | 'failing', detail: string): void {
    this.conditions.set(condition, { level, detail });
  }

  clear(condition: string): void {
    this.conditions.delete(condition);
  }
}

export class FakeLogger implements Logger {
  readonly lines: { readonly level: string; readonly sentence: string; readonly fields?: unknown }[] = [];

  debug = (sentence: string, fields?: unknown) => this.line('debug', sentence, fields);
  info = (sentence: string, fields?: unknown) => this.line('info', sentence, fields);
  warn = (sentence: string, fields?: unknown) => this.line('warn', sentence, fields);
  error = (sentence: string, fields?: unknown) => this.line('error', sentence, fields);

  of(level: string): readonly string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.sentence);
  }

  private line(level: string, sentence: string, fields: unknown): void {
    this.lines.push({ level, sentence, fields });
  }
}

export class FakeSynchronisation implements Synchronisation {
  private readonly listeners = new Set<(reason: string) => void>();
  readonly requests: string[] = [];
  private resolveSynced: () => void = () => {};
  readonly synced = new Promise<void>((resolve) => {
    this.resolveSynced = resolve;
  });

  request(reason: string): void {
    this.requests.push(reason);
    for (const listener of this.listeners) listener(reason);
  }

  onRequested(listener: (reason: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  portsDone(): void {
    this.resolveSynced();
  }
}

export function portRow(
  row: Partial<Omit<PortView, 'interfaces'>> & { name: string },
  face: Partial<InterfaceView> = {},
) {
  const only: InterfaceView = {
    name: row.name,
    type: '',
    ofport: 1,
    error: null,
    options: {},
    externalIds: {},
    ...face,
  };
  const port: PortView = {
    bridge: 'br-int',
    tag: null,
    otherConfig: {},
    externalIds: {},
    ...row,
    interfaces: [only],
  };
  return port;
}

export function bridgeRow(name: string, more: Partial<BridgeView> = {}): BridgeView {
  return {
    name,
    datapathId: '0000a2b3c4d5e6f7',
    datapathType: 'system',
    failMode: null,
    otherConfig: {},
    externalIds: {},
    ...more,
  };
}

export const VLAN_SEGMENT: Segment = {
  networkId: 'net-vlan',
  networkType: 'vlan',
  physicalNetwork: 'physnet1',
  segmentationId: 101,
};
export const FLAT_SEGMENT: Segment = {
  networkId: 'net-flat',
  networkType: 'flat',
  physicalNetwork: 'physnet1',
  segmentationId: null,
};
export const VXLAN_SEGMENT: Segment = {
  networkId: 'net-vxlan',
  networkType: 'vxlan',
  physicalNetwork: null,
  segmentationId: 0x170d0,
};

export function vifOfPort(id: string, portName = `tap-${id}`, macAddress = 'fa:16:3e:00:00:01'): Vif {
  return { portId: id, bridge: 'br-int', portName, macAddress, ofport: 3, externalIds: {} };
}

export function boundPort(more: Partial<PortDescription> = {}, segment = VXLAN_SEGMENT, localVlan = 1): BoundPort {
  const id = more.id ?? 'p1';
  const port: PortDescription = {
    id,
    name: '',
    networkId: segment.networkId,
    macAddress: 'fa:16:3e:00:00:01',
    adminStateUp: true,
    status: 'DOWN',
    deviceId: 'vm',
    deviceOwner: 'compute:nova',
    fixedIps: [{ subnetId: 's1', ipAddress: '10.1.0.5' }],
    allowedAddressPairs: [],
    portSecurityEnabled: true,
    securityGroupIds: [],
    segment,
    binding: 'here',
    vnicType: 'normal',
    vifType: 'ovs',
    profile: {},
    qosPolicyId: null,
    networkQosPolicyId: null,
    mtu: null,
    hints: {},
    revision: 1,
    ...more,
  };
  return { port, vif: vifOfPort(id, `tap-${id}`, port.macAddress), segment, localVlan };
}

/** What a flow does on the wire, as text: two flows that differ only in notation come out the same. */
function canonical(flow: Flow): string {
  const { in_port: inPort, ...match } = flow.match;
  const fields = matchFields(match, () => undefined).map(({ field, value, mask }) => {
    const all = valueBytes(field, (1n << BigInt(field.bits)) - 1n);
    const counted = mask === undefined ? all : valueBytes(field, mask);
    const bits = Buffer.compare(all, counted) === 0 ? '' : `/${Buffer.from(counted).toString('hex')}`;
    return `${field.name}=${Buffer.from(valueBytes(field, value)).toString('hex')}${bits}`;
  });
  const actions = flow.actions.flatMap((action): readonly Action[] =>
    action.type === 'output_set' ? action.ports.map((port) => ({ type: 'output', port: { port } })) : [action],
  );
  const text = (value: unknown) =>
    JSON.stringify(value, (_key, inner) =>
      typeof inner === 'bigint'
        ? `0x${inner.toString(16)}`
        : inner !== null && typeof inner === 'object' && !Array.isArray(inner)
          ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
          : inner,
    );
  const port = inPort === undefined ? '' : `in_port=${text(inPort)} `;
  return `${flow.bridge} table=${flow.table} priority=${flow.priority} ${port}${fields.join(' ')} → ${actions.map(text).join(' ')}`;
}

/** Expects exactly the flows of the texts (ovs-ofctl's, ports by name), by bridge, in any order. */
export function expectFlows(flows: readonly Flow[], expected: Readonly<Record<string, string>>): void {
  const wanted = Object.entries(expected).flatMap(([bridge, text]) =>
    parseFlows(bridge, text).map((parsed) => canonical(parsed.flow)),
  );
  expect(flows.map(canonical).sort()).toEqual(wanted.sort());
}
