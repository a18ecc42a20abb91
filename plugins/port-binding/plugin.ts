import {
  type AgentHooks,
  type AgentIdentity,
  type Announcer,
  type ControlPlane,
  type ControlPlaneChange,
  type DesiredState,
  type Health,
  type Jobs,
  type Logger,
  type Plugin,
  type PortDirectory,
  type PortView,
  type Provide,
  plugin,
  Service,
  type SwitchChange,
  type SwitchView,
  type Synchronisation,
  type Unsubscribe,
  use,
} from '@patchbay/sdk';
import { AncillaryPorts } from './ancillary';
import { PortBindingConfig } from './config';
import { Describer } from './describer';
import { PortBindingErrors } from './errors';
import { BoundPortLifecycle, type Surroundings } from './lifecycle';
import { Places } from './places';
import { PluggedVifs } from './plugged';
import { Reporter } from './reporter';
import { Segments } from './segments';
import { formerVlan, vifOf } from './vif';

/** Enough to keep the switch busy while plugins work, few enough for each plugin to be done with a port long before its time is up. */
const TOLD_AT_A_TIME = 32;

/**
 * Port binding: notices the VIFs that are plugged into the integration bridge, asks the control plane about them, binds them to a
 * segment and its local VLAN, and reports them up once the switch has acknowledged everything that any plugin wants for them.
 *
 * Owns:  the gate of every VIF (its tag, what a restart reads back from its other_config, and the flow that lets its frames in).
 * Never: opens a gate while a required plugin's part of the port is not on the switch.
 */
@plugin({
  id: 'port-binding',
  summary: 'Binds plugged VIFs to their segment and reports them up',
  sdk: '^1.0.0',
  requires: [Service.controlPlane, 'integration-bridge', 'local-vlan'],
  provides: [Service.ports],
  config: PortBindingConfig,
  claims: [{ bridge: 'integration', tables: [0], priorities: [1, 1] }],
  columns: [
    { bridge: 'integration', columns: ['Port:tag', 'Port:other_config', 'Interface:other_config', 'Bridge:ports'] },
  ],
  onFailure: 'abort',
})
export class PortBinding implements Plugin {
  private readonly ports = new Map<string, BoundPortLifecycle>();
  private readonly plugged = new PluggedVifs();
  private doubles = '';
  private readonly segments = new Segments(PortBindingErrors);
  private readonly surroundings: Surroundings;
  private readonly ancillary: AncillaryPorts;
  private readonly preparations = new Set<Parameters<PortDirectory['beforeTold']>[0]>();
  private readonly subscriptions: Unsubscribe[] = [];
  private scanned = false;
  private synchronising = true;

  constructor(
    @use(Service.identity) private readonly identity: AgentIdentity,
    @use(Service.announcer) private readonly announcer: Announcer,
    @use(Service.synchronisation) private readonly synchronisation: Synchronisation,
    @use(Service.switchView) private readonly switchView: SwitchView,
    @use(Service.controlPlane) private readonly controlPlane: ControlPlane,
    @use(Service.desired) private readonly desired: DesiredState,
    @use(Service.jobs) jobs: Jobs,
    @use(Service.health) private readonly health: Health,
    @use(Service.logger) logger: Logger,
  ) {
    const reporter = new Reporter(controlPlane, jobs, logger);
    const describer = new Describer(controlPlane);
    reporter.onReported = (portId, status) => this.ports.get(portId)?.reported(status);
    reporter.onTrouble = (trouble) =>
      trouble === undefined ? health.clear('reports') : health.report('reports', 'degraded', trouble);
    this.surroundings = {
      announcer,
      describer,
      reporter,
      desired,
      jobs,
      logger,
      segments: this.segments,
      places: new Places(TOLD_AT_A_TIME),
      settled: () => this.settled(),
      prepare: async (port) => {
        await Promise.all([...this.preparations].map((prepare) => prepare(port)));
      },
    };
    this.ancillary = new AncillaryPorts(describer, reporter, jobs, identity);
  }

  provide(provide: Provide): void {
    const directory: PortDirectory = {
      ports: async () => [...this.ports.values()].map((port) => port.state()),
      segments: async () => this.segments.list(),
      askForForwarding: (portIds) =>
        this.surroundings.reporter.upWithEntries(
          portIds.filter((portId) => this.ports.get(portId)?.state().state === 'up'),
        ),
      beforeTold: (prepare) => {
        this.preparations.add(prepare);
        return () => this.preparations.delete(prepare);
      },
    };
    provide(Service.ports, directory);
  }

  tap(hooks: AgentHooks): void {
    hooks.onSwitchReconnected(() => this.surroundings.reporter.askForTunnels());
  }

  async start(): Promise<void> {
    this.subscriptions.push(
      this.switchView.watch((changes) => this.switchChanged(changes)),
      this.controlPlane.subscribe((change) => this.controlPlaneChanged(change)),
      this.synchronisation.onRequested((reason) => void this.synchroniseAgain(reason)),
      this.announcer.onProgress((acknowledgement) => {
        if (acknowledgement.plugin !== 'port-binding') return;
        this.ports.get(acknowledgement.key.slice('port/'.length))?.progressed(acknowledgement.progress);
      }),
    );
    void this.synchronisation.started.then(() => this.scan());
  }

  stop(): void {
    for (const unsubscribe of this.subscriptions.splice(0)) unsubscribe();
  }

  /** Every port that is on the switch when the agent starts. */
  private async scan(): Promise<void> {
    this.ancillary.bridgesAre(await this.switchView.bridges());
    for (const port of await this.switchView.ports()) this.seen(port, 'scan');
    for (const portId of this.plugged.portIds()) this.lead(portId, 'scan');
    this.scanned = true;
    this.settled();
  }

  private switchChanged(changes: readonly SwitchChange[]): void {
    for (const change of changes) {
      if (change.kind === 'bridge-added') this.ancillary.bridgeAppeared(change.bridge);
      else if (change.kind === 'port-added') this.seen(change.port, change.cause);
      else if (change.kind === 'port-removed') this.gone(change.port, change.cause);
      else if (change.kind === 'port-changed') this.changed(change.previous, change.port, change.cause);
    }
  }

  private changed(previous: PortView, port: PortView, cause: string): void {
    const before = vifOf(previous);
    if (before !== undefined && before.portId !== vifOf(port)?.portId) this.gone(previous, cause);
    this.seen(port, cause);
  }

  private seen(port: PortView, cause: string): void {
    const vif = vifOf(port);
    if (vif === undefined) return;
    if (vif.bridge !== this.identity.integrationBridge) {
      this.ancillary.seen(vif);
      return;
    }
    // A port that comes later is nobody's yet, whatever VLAN it brings along.
    this.plugged.seen(vif, this.scanned ? 'now' : { formerVlan: formerVlan(port) });
    if (this.scanned) this.lead(vif.portId, cause);
    this.nameDoubles();
  }

  /** Goes by the VIF that is to be wired, of those that bear the iface-id. */
  private lead(portId: string, cause: string): void {
    const plugged = this.plugged.of(portId);
    if (plugged === undefined) return;
    const { vif, formerVlan, others } = plugged;
    let lifecycle = this.ports.get(portId);
    if (lifecycle === undefined) {
      lifecycle = new BoundPortLifecycle(vif, formerVlan, this.surroundings);
      this.ports.set(portId, lifecycle);
    }
    lifecycle.seen(vif, others, cause);
  }

  private gone(port: PortView, cause: string): void {
    const vif = vifOf(port);
    if (vif === undefined) return;
    if (vif.bridge !== this.identity.integrationBridge) {
      this.ancillary.gone(vif);
      return;
    }
    this.plugged.gone(vif);
    this.nameDoubles();
    if (this.plugged.of(vif.portId) !== undefined) {
      this.lead(vif.portId, cause);
      return;
    }
    const lifecycle = this.ports.get(vif.portId);
    void lifecycle?.gone(cause).then(() => {
      if (!lifecycle.isOver() || this.ports.get(vif.portId) !== lifecycle) return;
      this.ports.delete(vif.portId);
      this.controlPlane.forgetPort(vif.portId);
    });
  }

  private nameDoubles(): void {
    const doubles = this.plugged.doubles().join('; ');
    if (doubles === this.doubles) return;
    this.doubles = doubles;
    if (doubles === '') this.health.clear('iface-ids');
    else this.health.report('iface-ids', 'degraded', doubles);
  }

  private controlPlaneChanged(change: ControlPlaneChange): void {
    switch (change.kind) {
      case 'ports-changed':
        for (const portId of change.portIds) this.ports.get(portId)?.describeAgain(change.cause);
        return;
      case 'port-deleted':
        this.ports.get(change.portId)?.deleted(change.cause);
        return;
      case 'binding-moved':
        this.ports.get(change.portId)?.movedAway(change.toHost, change.cause);
        return;
      case 'network-changed':
        for (const port of this.ports.values()) {
          if (port.isOfNetwork(change.networkId)) port.describeAgain(change.cause);
        }
        return;
    }
  }

  private async synchroniseAgain(reason: string): Promise<void> {
    this.surroundings.reporter.askForTunnels();
    await this.announcer.event(reason, (calls) => this.segments.tellAgain(calls));
    this.synchronising = true;
    this.ancillary.tellAgain();
    for (const port of this.ports.values()) port.tellAgain(reason);
    this.settled();
  }

  /** Called whenever a port came to rest: once all have, the agent is synchronised. */
  private settled(): void {
    if (!this.scanned) return;
    const ports = [...this.ports.values()];
    const troubled = ports.filter((port) => port.trouble() !== undefined);
    if (troubled.length === 0) this.health.clear('ports');
    else this.health.report('ports', 'degraded', summary(troubled));
    if (!this.synchronising || ports.some((port) => !port.isSettled())) return;
    this.synchronising = false;
    this.desired.complete();
    this.synchronisation.portsDone(ports.length);
  }
}

function summary(troubled: readonly BoundPortLifecycle[]): string {
  const [first] = troubled;
  return `${troubled.length} not wired, ${first?.state().vif.portId}: ${first?.trouble()}`;
}
