import 'reflect-metadata';
import {
  type AgentHooks,
  type AgentIdentity,
  type AllottedTables,
  type BoundPort,
  type Commands,
  type DesiredState,
  IntegrationTable,
  type Jobs,
  type Numbers,
  type Plugin,
  plugin,
  type RegisterBit,
  type Rpc,
  registerBit,
  Service,
  type Unsubscribe,
  use,
} from '@patchbay/sdk';
import { z } from 'zod';
import { mirrorFlows } from './flows';

export const PortMirrorConfig = z.strictObject({
  /** The port of the integration bridge that copies go to. */
  capture_port: z.string().min(1),
});
export type PortMirrorConfig = z.infer<typeof PortMirrorConfig>;

const TOPIC = 'acme-port-mirror';
const RETRY = { initialMs: 1_000, maxMs: 60_000 };

/**
 * Port mirror: copies what chosen ports send to a capture port. Which ports is the server's to say: it is asked at the start, and tells of
 * changes on a topic of this plugin's own.
 *
 * Owns:  table `copy` of the integration bridge, and a flow a mirrored port in table 60 at priority 210.
 * Never: changes the way a frame takes.
 */
@plugin({
  id: 'acme-port-mirror',
  summary: 'Copies what chosen ports send to a capture port',
  sdk: '^1.0.0',
  requires: [Service.rpc],
  config: PortMirrorConfig,
  claims: [{ bridge: 'integration', tables: [IntegrationTable.transient], priorities: [210, 210] }],
  tables: [{ bridge: 'integration', name: 'copy' }],
  onFailure: 'degrade',
})
export class PortMirror implements Plugin {
  /** Ports that the server wants mirrored; null until it has said so. */
  private mirrored: ReadonlySet<string> | null = null;
  private readonly ports = new Map<string, string>();
  private copied: RegisterBit | undefined;
  private unlisten: Unsubscribe = () => undefined;

  constructor(
    @use(Service.config) private readonly config: PortMirrorConfig,
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.tables) private readonly tables: AllottedTables,
    @use(Service.numbers) private readonly numbers: Numbers,
    @use(Service.desired) private readonly desired: DesiredState,
    @use(Service.rpc) private readonly rpc: Rpc,
    @use(Service.jobs) private readonly jobs: Jobs,
    @use(Service.commands) commands: Commands,
  ) {
    commands.add({ name: 'list', summary: 'The ports that are mirrored' }, () => [...(this.mirrored ?? [])].sort());
  }

  tap(hooks: AgentHooks): void {
    hooks.onPortAdded((bound) => this.seen(bound));
    hooks.onPortUpdated(({ current }) => this.seen(current));
    hooks.onPortRemoved(({ bound }) => {
      this.ports.delete(bound.port.id);
      this.desired.unset(keyOf(bound.port.id));
    });
  }

  start(): void {
    this.unlisten = this.rpc.listen(
      { topic: TOPIC },
      { mirrors_changed: ({ port_ids }) => this.choose(textsOf(port_ids)) },
    );
    this.jobs.untilDone('ask which ports are mirrored', RETRY, async () => {
      this.copied = registerBit(await this.numbers.allot('register-bit', this.identity.integrationBridge, 'copied'));
      const answer = await this.rpc.call({ topic: TOPIC }, 'get_mirrors', { host: this.identity.host });
      this.choose(textsOf(answer));
    });
  }

  stop(): void {
    this.unlisten();
  }

  private seen({ port, vif }: BoundPort): void {
    this.ports.set(port.id, vif.portName);
    this.state(port.id);
  }

  private choose(portIds: readonly string[]): void {
    const before = this.mirrored;
    this.mirrored = new Set(portIds);
    for (const id of new Set([...(before ?? []), ...portIds])) this.state(id);
    this.desired.complete();
  }

  private state(portId: string): void {
    const portName = this.ports.get(portId);
    const copied = this.copied;
    const { copy } = this.tables;
    const isKnown = portName !== undefined && copy !== undefined && copied !== undefined;
    if (!isKnown || this.mirrored?.has(portId) !== true) {
      this.desired.unset(keyOf(portId));
      return;
    }
    const where = { bridge: this.identity.integrationBridge, copy, copied };
    this.desired.set(keyOf(portId), { flows: mirrorFlows(portName, this.config.capture_port, where) });
  }
}

const keyOf = (portId: string): string => `port/${portId}`;

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
