import type {
  AddressGroup,
  EventOutcome,
  GroupMember,
  HookCalls,
  PortDescription,
  PortDirectory,
  ResourceView,
  SecurityGroup,
  SecurityGroupRule,
  TrackedConnection,
  UnusedResources,
} from '@patchbay/sdk';
import { SecurityGroupsConfig } from '../../plugins/security-groups/config';
import { SecurityGroups } from '../../plugins/security-groups/plugin';
import {
  FakeDesired,
  FakeEffects,
  FakeHealth,
  FakeHooks,
  FakeJobs,
  FakeLogger,
  FakeStore,
  FakeSwitch,
  IDENTITY,
} from './plugin-kit';

/** A rule as a test writes it: what it does not say is any. */
export function rule(more: Partial<SecurityGroupRule> = {}): SecurityGroupRule {
  return {
    id: 'r1',
    securityGroupId: 'web',
    direction: 'ingress',
    ethertype: 'IPv4',
    protocol: null,
    portRangeMin: null,
    portRangeMax: null,
    remoteIpPrefix: null,
    remoteGroupId: null,
    remoteAddressGroupId: null,
    ...more,
  };
}

export function group(id: string, rules: readonly Partial<SecurityGroupRule>[], stateful = true): SecurityGroup {
  return {
    id,
    name: `name of ${id}`,
    stateful,
    rules: rules.map((one, index) => rule({ id: `${id}/${index}`, securityGroupId: id, ...one })),
  };
}

/** A control plane's resources that a test changes. */
export class FakeResources implements ResourceView {
  readonly groups = new Map<string, SecurityGroup>();
  readonly members = new Map<string, readonly GroupMember[]>();
  readonly addresses = new Map<string, readonly string[]>();
  failing = false;
  questions = 0;
  readonly forgotten: UnusedResources[] = [];
  beforeAnswer: () => Promise<void> = async () => {};

  securityGroups = async (ids: readonly string[]) => this.answer(ids.flatMap((id) => this.groups.get(id) ?? []));
  membersOf = async (id: string) => this.answer(this.members.get(id) ?? []);
  addressGroups = async (ids: readonly string[]): Promise<readonly AddressGroup[]> =>
    this.answer(ids.map((id) => ({ id, name: id, addresses: this.addresses.get(id) ?? [] })));
  networks = async () => [];
  subnets = async () => [];
  forget = (unused: UnusedResources): void => void this.forgotten.push(unused);

  setMembers(id: string, ...ipAddresses: readonly string[]): void {
    this.members.set(
      id,
      ipAddresses.map((ipAddress, index) => ({ portId: `m${index}`, macAddress: 'fa:16:3e:0f:0f:0f', ipAddress })),
    );
  }

  private async answer<T>(value: T): Promise<T> {
    this.questions++;
    if (this.failing) throw new Error('the control plane does not answer');
    await this.beforeAnswer();
    return value;
  }
}

export class TrackingSwitch extends FakeSwitch {
  tracked: readonly TrackedConnection[] = [];
  connections? = async (_zone: number): Promise<readonly TrackedConnection[]> => this.tracked;
}

export class FlushingEffects extends FakeEffects {
  readonly flushedTuples: unknown[] = [];
  forget: (tuple: unknown) => void = () => {};
  override async flushConntrack(zone: number, tuple?: unknown): Promise<void> {
    this.flushedTuples.push({ zone, ...(tuple as object) });
    this.forget(tuple);
  }
}

export interface SetUpOptions {
  readonly options?: Readonly<Record<string, unknown>>;
  readonly store?: FakeStore;
  readonly installed?: FakeSwitch['flows'];
  readonly desired?: FakeDesired;
  /** Runs what an event states, so that it leaves together. */
  readonly together?: <T>(act: () => Promise<T>) => Promise<T>;
}

/** The plugin with everything around it faked. */
export function setUp({
  options = {},
  store = new FakeStore(),
  installed,
  desired = new FakeDesired(),
  together,
}: SetUpOptions = {}) {
  const view = new TrackingSwitch();
  if (installed !== undefined) view.flows = installed;
  const jobs = new FakeJobs();
  const hooks = new FakeHooks();
  const health = new FakeHealth();
  const logger = new FakeLogger();
  const effects = new FlushingEffects();
  const resources = new FakeResources();
  const events: string[][] = [];
  const announcer = {
    async event<T>(_cause: string, act: (calls: HookCalls) => Promise<T>): Promise<EventOutcome<T>> {
      const from = desired.history.length;
      const run = () => act({} as HookCalls);
      const value = await (together === undefined ? run() : together(run));
      events.push(desired.history.slice(from));
      return { value, acknowledged: async () => [] };
    },
    onProgress: () => () => {},
  };
  let prepare: (port: PortDescription) => Promise<void> = async () => {};
  const ports: PortDirectory = {
    ports: async () => [],
    segments: async () => [],
    askForForwarding: async () => {},
    beforeTold: (act) => {
      prepare = act;
      return () => {};
    },
  };
  const plugin = new SecurityGroups(
    SecurityGroupsConfig.parse(options),
    IDENTITY,
    announcer,
    view,
    resources,
    ports,
    desired,
    effects,
    store,
    jobs,
    health,
    logger,
  );
  plugin.tap(hooks.hooks);
  plugin.start();
  const fire = hooks.fire.bind(hooks);
  return {
    plugin,
    desired,
    view,
    jobs,
    health,
    logger,
    effects,
    resources,
    store,
    events,
    fire,
    prepare: (port: PortDescription) => prepare(port),
  };
}
