import {
  type AgentHooks,
  type BridgeView,
  type DesiredRecords,
  type DesiredState,
  type Effects,
  type Flow,
  type Health,
  HOOKS,
  type HookName,
  type Jobs,
  type KeyProgress,
  type LearnedFlows,
  type Logger,
  type PortView,
  type Store,
  type SwitchChange,
  type SwitchSummary,
  type SwitchView,
  type Synchronisation,
} from '@patchbay/sdk';
import { frozenCopy } from '../../core/kernel/plain';

export * from './flow-text';
export * from './plugin-fixtures';

/** Records what a plugin states, key by key. */
export class FakeDesired implements DesiredState {
  readonly stated = new Map<string, DesiredRecords>();
  /** Every set and unset, in order. */
  readonly history: string[] = [];
  isComplete = false;

  set(key: string, records: DesiredRecords): void {
    this.history.push(`set ${key}`);
    this.stated.set(key, frozenCopy(records, key));
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
    signal = new AbortController().signal,
  ): Promise<readonly unknown[]> {
    const context = { signal, cause: 'test' };
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
  flows: SwitchView['flows'] = async () => [];

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

/** Keeps values in memory. */
export class FakeStore implements Store {
  readonly values = new Map<string, string>();
  get = async (key: string) => this.values.get(key);
  set = async (key: string, value: string) => void this.values.set(key, value);
  delete = async (key: string) => void this.values.delete(key);
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
  /** A test may hold it back. */
  started: Promise<void> = Promise.resolve();
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
