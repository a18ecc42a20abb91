import type {
  Announcer,
  BoundPort,
  ControlPlane,
  ControlPlaneChange,
  Delivery,
  DesiredRecords,
  EventOutcome,
  HookCalls,
  KeyAcknowledgement,
  KeyProgress,
  PortDescription,
  PortDirectory,
  PortReport,
  PortView,
  Refusal,
  Segment,
} from '@patchbay/sdk';
import { PortBinding } from '../../plugins/port-binding/plugin';
import {
  boundPort,
  FakeDesired,
  FakeHealth,
  FakeJobs,
  FakeLogger,
  FakeSwitch,
  FakeSynchronisation,
  IDENTITY,
  portRow,
  VXLAN_SEGMENT,
} from './plugin-kit';

/** A control plane that a test fills in. */
export class FakeControlPlane implements ControlPlane {
  readonly known = new Map<string, PortDescription>();
  readonly reports: PortReport[] = [];
  readonly asked: (readonly string[])[] = [];
  readonly forgotten: string[] = [];
  readonly malformed = new Map<string, string>();
  away = false;
  /** Ports whose report is refused. */
  refusing: readonly string[] = [];
  private readonly listeners = new Set<(change: ControlPlaneChange) => void>();

  async describePorts(ids: readonly string[]) {
    this.asked.push(ids);
    if (this.away) throw new Error('the server is away');
    return ids.flatMap((id) => {
      const error = this.malformed.get(id);
      return error === undefined ? (this.known.get(id) ?? []) : { id, error };
    });
  }

  async reportPorts(report: PortReport) {
    if (this.away) throw new Error('the server is away');
    this.reports.push(report);
    return { failed: [...report.up, ...report.down].filter((id) => this.refusing.includes(id)) };
  }

  registerTunnelEndpoint = async () => [];
  reportState = async () => 'alive' as const;
  forgetPort = (id: string) => void this.forgotten.push(id);

  subscribe(listener: (change: ControlPlaneChange) => void) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  say(change: ControlPlaneChange): void {
    for (const listener of this.listeners) listener(change);
  }

  /** Ports reported up and down, in order: `up p1`. */
  get edges(): readonly string[] {
    return this.reports.flatMap(({ up, down }) => [...down.map((id) => `down ${id}`), ...up.map((id) => `up ${id}`)]);
  }
}

/** Records what is told; answers questions as the stock plugins would. */
export class FakeAnnouncer implements Announcer {
  readonly told: string[] = [];
  readonly payloads: unknown[] = [];
  /** What was told in events that left; the others came to nothing. */
  readonly left: string[] = [];
  failures: Delivery['failures'] = [];
  /** The one port that a required plugin fails for; all where there are failures and this is not set. */
  failingPort: string | undefined;
  /** Told of a release, plugins take this long. */
  releasing: Promise<void> = Promise.resolve();
  refusal: Refusal | undefined;
  /** Answers with this VLAN; otherwise each question gets another. */
  localVlan: number | undefined;
  private vlans = 0;
  private readonly listeners = new Set<(acknowledgement: KeyAcknowledgement) => void>();

  async event<T>(_cause: string, act: (calls: HookCalls) => Promise<T>): Promise<EventOutcome<T>> {
    const told: string[] = [];
    const value = await act(this.callsNoting(told));
    this.left.push(...told);
    return { value, acknowledged: async () => [] };
  }

  onProgress(listener: (acknowledgement: KeyAcknowledgement) => void) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  progressed(key: string, progress: KeyProgress): void {
    for (const listener of this.listeners) listener({ plugin: 'port-binding', required: false, key, progress });
  }

  /** Names of what was told, without payloads. */
  take(): readonly string[] {
    return this.told.splice(0);
  }

  private callsNoting(told: string[]): HookCalls {
    return {
      ...this.questions,
      tell: async (hook, payload) => {
        if (hook === 'onSegmentReleased') await this.releasing;
        this.told.push(hook);
        told.push(hook);
        this.payloads.push(structuredClone(payload));
        return { failures: this.failuresOf(hook, payload) };
      },
    };
  }

  private failuresOf(hook: string, payload: unknown): Delivery['failures'] {
    if (hook !== 'onPortAdded' && hook !== 'onPortUpdated') return [];
    const { vif } = (hook === 'onPortAdded' ? payload : (payload as { current: unknown }).current) as BoundPort;
    return this.failingPort === undefined || this.failingPort === vif.portId ? this.failures : [];
  }

  private readonly questions: Omit<HookCalls, 'tell'> = {
    beforePortBind: async (draft) => this.refusal ?? draft,
    beforePortUnbind: async (draft) => draft,
    resolveLocalVlan: async () => this.localVlan ?? ++this.vlans,
    resolveTunnelPort: async () => undefined,
    reportState: async () => ({ configurations: {} }),
  };
}

/** The desired state of a switch that takes everything at once, but for keys that a test holds back. */
export class HoldableDesired extends FakeDesired {
  readonly held = new Map<string, KeyProgress>();

  override async progress(key: string): Promise<KeyProgress> {
    return this.held.get(key) ?? super.progress(key);
  }

  gate(portId: string): NonNullable<DesiredRecords['gates']>[number] {
    const [gate] = this.records(`port/${portId}`).gates ?? [];
    if (gate === undefined) throw new Error(`no gate for ${portId}`);
    return gate;
  }
}

/** The port-binding plugin on fakes. */
export class PortBindingBed {
  readonly announcer = new FakeAnnouncer();
  readonly synchronisation = new FakeSynchronisation();
  readonly view = new FakeSwitch();
  readonly server = new FakeControlPlane();
  readonly desired = new HoldableDesired();
  readonly jobs = new FakeJobs();
  readonly health = new FakeHealth();
  readonly logger = new FakeLogger();
  readonly plugin = new PortBinding(
    IDENTITY,
    this.announcer,
    this.synchronisation,
    this.view,
    this.server,
    this.desired,
    this.jobs,
    this.health,
    this.logger,
  );
  private provided: PortDirectory | undefined;

  constructor() {
    this.plugin.provide((_token, value) => {
      this.provided = value as PortDirectory;
    });
  }

  async start(): Promise<void> {
    await this.plugin.start();
    await this.settle();
  }

  /** Until nothing is under way. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      await this.jobs.settle();
    }
  }

  plug(id: string, more: Partial<PortView> = {}): void {
    this.view.addPort(vifRow(id, more));
  }

  unplug(id: string): void {
    this.view.removePort(`tap-${id}`);
  }

  get directory(): PortDirectory {
    if (this.provided === undefined) throw new Error('the plugin has not provided its directory');
    return this.provided;
  }

  async stateOf(id: string) {
    return ((await this.provided?.ports()) ?? []).find((port) => port.vif.portId === id);
  }
}

export function vifRow(id: string, more: Partial<PortView> = {}): PortView {
  const externalIds = { 'iface-id': id, 'attached-mac': 'fa:16:3e:00:00:01' };
  return { ...portRow({ name: `tap-${id}` }, { externalIds }), ...more };
}

/** The control plane's word on a port. */
export function describedPort(
  id: string,
  more: Partial<PortDescription> = {},
  segment: Segment = VXLAN_SEGMENT,
): PortDescription {
  return boundPort({ id, ...more }, segment).port;
}

/** The plugin at work, with a control plane that knows these ports and a switch without any. */
export async function startedWith(...ports: readonly PortDescription[]): Promise<PortBindingBed> {
  const bed = new PortBindingBed();
  for (const port of ports) bed.server.known.set(port.id, port);
  await bed.start();
  return bed;
}

/** The same with these ports plugged and wired; what was told and reported of that is forgotten. */
export async function wiredWith(...ports: readonly PortDescription[]): Promise<PortBindingBed> {
  const bed = await startedWith(...ports);
  for (const { id } of ports) bed.plug(id);
  await bed.settle();
  bed.announcer.take();
  bed.server.reports.length = 0;
  return bed;
}
