import type { Claim, Effects, SwitchReconnection, Unsubscribe } from '@patchbay/sdk';
import { canonical } from './canonical';
import { Conntrack } from './conntrack/conntrack';
import { askOver, controlSocketIn } from './conntrack/control-socket';
import { DesiredKeys } from './desired-store';
import { effectsFor } from './effects';
import { switchErrors } from './errors';
import { type ExplainedKey, explain } from './explain';
import { awaitSocketOf } from './management-sockets';
import { connectBridge, openFlowTarget } from './openflow-targets';
import { type ChangeBatch, OvsdbClient } from './ovsdb';
import { Ownership } from './ownership';
import { PacketDispatch } from './packet-ins';
import { Blueprint, type BlueprintRules } from './planner/blueprint';
import { fateBy, isReserved } from './planner/ownership';
import { type Diff, printPlan } from './planner/print';
import { markOf } from './planner/row-changes';
import { mayWrite, NOT_STARTED, type Writing } from './reconciler/guard';
import { Links } from './reconciler/links';
import { Newcomer } from './reconciler/newcomer';
import { LOCK, OvsdbDatabase } from './reconciler/ovsdb-database';
import { Reconciler } from './reconciler/reconciler';
import { planRelease, printRelease, type Release } from './release';
import { isRestoringFlows, type RootRow, summaryOf } from './root-row';
import { REPLICATED, RowsMirror } from './rows-mirror';
import { OWN_CONTROLLER, REFERENCE_CONTROLLERS } from './settings';
import type { Switch, SwitchOptions, SwitchStatus } from './switch';
import { LiveSwitchView } from './switch-view';

export type { DesiredKeys } from './desired-store';
export { switchErrors } from './errors';
export type { ExplainedKey, ExplainedPart } from './explain';
export type { Diff } from './planner/print';
export { NOT_STARTED, type Writing } from './reconciler/guard';
export { type ListedPlugin, OWN_CONTROLLER, type SwitchSettings } from './settings';
export type { Switch, SwitchOptions, SwitchStatus } from './switch';

/** How long those who ask for flows wait for a bridge that is not read yet, in milliseconds. */
const READ_PATIENCE_MS = 3_000;

export function createSwitch(options: SwitchOptions): Switch {
  return new SwitchSide(options);
}

class SwitchSide implements Switch {
  readonly store: DesiredKeys;
  readonly view: LiveSwitchView;
  private readonly client: OvsdbClient<Pick<import('./ovsdb').OpenVSwitchTables, keyof typeof REPLICATED>>;
  private readonly mirror: RowsMirror;
  private readonly rules: BlueprintRules;
  private readonly ownership: Ownership;
  private readonly blueprint: Blueprint;
  readonly packets: PacketDispatch;
  private readonly links: Links;
  private readonly conntrack: Conntrack;
  private readonly database: OvsdbDatabase;
  private readonly reconciler: Reconciler;
  private readonly lockName = LOCK;
  private readonly readers = new Map<string, readonly (() => void)[]>();
  private firstRead: () => void = () => undefined;
  private resyncTimer: NodeJS.Timeout | undefined;
  private readonly newcomer = new Newcomer(OWN_CONTROLLER, () => this.reconciler.wake('no agent came'));
  private connected = false;
  private pluginsStarted = false;
  private released = false;
  private serial = 0;

  constructor(private readonly options: SwitchOptions) {
    const { settings, logger, plugins } = options;
    const { ssl_key_file: key, ssl_cert_file: certificate, ssl_ca_cert_file: ca } = settings;
    this.client = new OvsdbClient({
      target: options.ovsdbTarget ?? settings.ovsdb_connection,
      ...(key === null || certificate === null || ca === null
        ? {}
        : { tls: { privateKey: key, certificate, caCertificate: ca } }),
      tables: REPLICATED,
      timeoutMs: settings.ovsdb_timeout * 1000,
    });
    this.mirror = new RowsMirror(this.client.replica);
    this.store = new DesiredKeys({
      changed: (cause) => this.reconciler.wake(cause),
      completed: (plugin) => this.sweepable(plugin),
      retired: (plugin) => this.sweepable(plugin),
    });
    const reserved = { cookies: options.reservedCookies ?? [], flows: options.reservedFlows ?? [] };
    this.ownership = new Ownership(settings, plugins, reserved, this.mirror, () => this.store, {
      blueprint: () => this.blueprint,
      logger,
    });
    const ranks = new Map(plugins.map((plugin, rank) => [plugin.id, rank]));
    this.rules = {
      canonical,
      fate: fateBy(this.ownership),
      required: plugins.filter((plugin) => plugin.required).map((plugin) => plugin.id),
      controllers: { target: OWN_CONTROLLER, replaces: options.replacedControllers ?? REFERENCE_CONTROLLERS },
      drift: settings.drift,
      describeStranger: (bridge, flow) => this.ownership.describeStranger(bridge, flow),
      isReserved: (bridge, flow) => isReserved(this.ownership, bridge, flow),
      rankOf: (plugin) => ranks.get(plugin) ?? plugins.length,
    };
    this.blueprint = new Blueprint(this.rules, this.mirror);
    const ready = new Promise<void>((resolve) => {
      this.firstRead = resolve;
    });
    const ask = askOver(() => controlSocketIn(settings.ovs_run_dir), settings.ovsdb_timeout * 1000);
    this.conntrack = new Conntrack(ask, () => this.datapath());
    this.view = new LiveSwitchView({
      rows: this.mirror,
      ready,
      summary: () => summaryOf(this.root(), this.connected),
      boardOf: (bridge) => this.blueprint.board(bridge),
      conntrack: this.conntrack,
      tablesRead: (bridge) => this.tablesRead(bridge),
    });
    this.packets = new PacketDispatch(this.mirror);
    this.links = new Links(
      options.connect ?? ((bridge) => connectBridge(bridge, settings)),
      (bridge) => this.mirror.bridge(bridge) !== undefined,
      { up: (bridge) => this.linkUp(bridge), down: (bridge) => this.reconciler.linkDown(bridge) },
      logger,
      awaitSocketOf((bridge) => openFlowTarget(bridge, settings)),
    );
    this.database = new OvsdbDatabase(this.client as unknown as OvsdbClient, OWN_CONTROLLER);
    this.reconciler = new Reconciler({
      store: this.store,
      blueprint: this.blueprint,
      database: this.database,
      links: this.links,
      logger,
      mayWrite: () => (this.pluginsStarted ? this.writing() : { held: NOT_STARTED }),
      onRead: (bridge) => this.recognise(bridge),
      sweepRows: () => this.sweepRows(),
      ...(options.onRound === undefined ? {} : { onRound: options.onRound }),
      ...(settings.drop_flows_on_start ? { purgeOnce: [settings.integration_bridge, settings.tunnel_bridge] } : {}),
    });
  }

  effects(plugin: string): Effects {
    return effectsFor(plugin, {
      rows: this.mirror,
      connectionTo: (bridge) => this.links.get(bridge),
      integrationBridge: this.options.settings.integration_bridge,
      version: () => this.root()?.ovs_version ?? 'unknown',
      stated: () => this.store.allSettled(),
      held: () => {
        const writing = this.writing();
        return writing === 'yes' ? undefined : writing.held;
      },
      conntrack: this.conntrack,
      logger: this.options.logger,
    });
  }

  claimTables(plugin: string, claims: readonly Claim[]): void {
    this.ownership.claim(plugin, claims);
    for (const board of this.blueprint.allBoards()) board.compareUnwanted();
  }

  async start(): Promise<void> {
    const { settings, logger } = this.options;
    this.client.on('connected', () => this.databaseConnected(true));
    this.client.on('disconnected', ({ error }) => {
      logger.warn('connection to the switch database lost', { error: error.message });
      this.databaseConnected(false);
    });
    this.client.on('changes', (batch) => this.changed(batch));
    this.client.on('resynchronised', () => this.reconciler.compareAll('switch database read'));
    if (this.options.mode !== 'watching') this.client.lock(this.lockName).onState(() => this.reconciler.wake('lock'));
    this.reconciler.start();
    this.client.start();
    await this.client.ready().catch((error: Error) => {
      const reason = error.cause instanceof Error ? error.cause.message : error.message;
      throw switchErrors.unreachable({ target: settings.ovsdb_connection, reason }, error);
    });
    this.firstRead();
    for (const bridge of [settings.integration_bridge, settings.tunnel_bridge]) this.links.want(bridge);
    this.connectToMade();
    if (settings.resync_interval === 0) return;
    this.resyncTimer = setInterval(
      () => this.reconciler.compareAll('resync interval'),
      settings.resync_interval * 1000,
    );
    this.resyncTimer.unref();
  }

  beginWriting(): void {
    this.pluginsStarted = true;
    this.reconciler.wake('plugins started');
  }

  async stop(): Promise<void> {
    clearInterval(this.resyncTimer);
    this.newcomer.forget();
    await this.reconciler.stop();
    await this.links.stop();
    await this.client.stop();
  }

  status(): SwitchStatus {
    return {
      writing: this.writing(),
      databaseConnected: this.connected,
      bridgesRead: [...this.blueprint.allBoards()].flatMap((board) =>
        board.installed === undefined ? [] : [board.bridge],
      ),
      keys: this.store.size,
      flows: [...this.blueprint.allBoards()].reduce((sum, board) => sum + (board.installed?.size ?? 0), 0),
      pending: this.store.pendingCount,
      takingOver: this.ownership.takeOver.underWay(),
      quarantined: this.store.quarantinedCount,
      conflicts: [...this.blueprint.contests(), ...this.blueprint.displacements()],
      figures: this.reconciler.figures,
    };
  }

  explain(subject: string): readonly ExplainedKey[] {
    return explain(subject, this.store, this.blueprint);
  }

  plan(): Diff {
    const trial = new Blueprint({ ...this.rules, drift: 'repair' }, this.mirror);
    for (const { plugin, key, records } of this.store.all()) if (records !== null) trial.state(plugin, key, records);
    const unknown: string[] = [];
    for (const board of this.blueprint.allBoards()) {
      if (board.installed === undefined) unknown.push(`the flows of bridge ${board.bridge}: it is not connected`);
      else trial.board(board.bridge).read(board.installed.values());
    }
    const plan = trial.plan();
    for (const bridge of plan.steps.keys()) {
      if (this.blueprint.board(bridge).installed === undefined)
        unknown.push(`what bridge ${bridge} has: it is not read`);
    }
    return printPlan(plan, [...new Set(unknown)]);
  }

  compareAll(cause: string): void {
    this.reconciler.compareAll(cause);
  }

  onReconnected(listener: (reconnection: SwitchReconnection) => void): Unsubscribe {
    return this.reconciler.onReconnected(listener);
  }

  settled(): Promise<void> {
    return this.reconciler.settled();
  }

  async release(): Promise<readonly string[]> {
    const writing = this.writing();
    if (writing !== 'yes') throw switchErrors.held({ reason: writing.held });
    this.released = true;
    await this.reconciler.stop();
    const { flows, rows, lines } = this.releasing();
    for (const [bridge, messages] of flows) await this.links.get(bridge)?.bundle(messages);
    if (rows.length > 0) await this.database.commit(rows);
    this.options.logger.info('the switch is given back to the reference agent', { lines });
    return lines;
  }

  planRelease(): Diff {
    return printRelease(this.releasing());
  }

  private releasing(): Release {
    const [reference = ''] = this.rules.controllers?.replaces ?? [];
    return planRelease({
      boards: this.blueprint.allBoards(),
      rows: this.mirror,
      cookies: this.ownership.cookies,
      roleOf: (bridge) => this.ownership.roleOf(bridge),
      ownTarget: OWN_CONTROLLER,
      reference,
      integrationBridge: this.options.settings.integration_bridge,
      now: new Date().toISOString(),
    });
  }

  private writing(): Writing {
    if (this.options.mode === 'watching') return { held: 'this is only a plan' };
    if (this.released) return { held: 'the switch is given back to the reference agent' };
    return mayWrite({
      pluginsStarted: this.pluginsStarted,
      databaseConnected: this.connected,
      lockHeld: this.client.lock(this.lockName).state === 'held',
      restoringFlows: isRestoringFlows(this.root()),
      integrationBridge: this.mirror.bridge(this.options.settings.integration_bridge),
      arriving: this.newcomer.arriving,
      ownTarget: OWN_CONTROLLER,
    });
  }

  /** The datapath of the integration bridge, as ovs-dpctl(8) names it. */
  private datapath(): string {
    const type = this.mirror.bridge(this.options.settings.integration_bridge)?.datapathType || 'system';
    return `${type}@ovs-${type}`;
  }

  private root(): RootRow {
    for (const row of this.client.replica.table('Open_vSwitch')) return row;
    return undefined;
  }

  private databaseConnected(connected: boolean): void {
    this.connected = connected;
    this.reconciler.wake(connected ? 'switch database connected' : 'switch database lost');
  }

  private changed({ changes, cause: batchCause }: ChangeBatch): void {
    const mirrored = this.mirror.update(changes);
    this.newcomer.observe(this.mirror.bridge(this.options.settings.integration_bridge));
    this.serial += 1;
    const cause = batchCause === 'transaction' ? `switch event ${this.serial}` : 'resync';
    const names = [...mirrored.bridges, ...mirrored.ports].flatMap(({ before, after }) => [
      ...(before === undefined ? [] : [before.name]),
      ...(after === undefined || after.name === before?.name ? [] : [after.name]),
    ]);
    const stale = this.blueprint.rowsChanged(names);
    for (const { after } of mirrored.bridges) {
      if (after === undefined) continue;
      if (this.blueprint.hasBoard(after.name) || this.links.isWanted(after.name)) this.links.want(after.name);
    }
    // Whether anything may be written hangs on controllers and on the root row.
    const conditions = mirrored.bridges.length > 0 || changes.some((change) => change.table === 'Open_vSwitch');
    if (stale || (conditions && this.writing() !== this.reconciler.writing)) this.reconciler.wake(cause);
    this.view.publish(mirrored, cause);
  }

  private linkUp(bridge: string): void {
    const client = this.links.get(bridge);
    if (client !== undefined) this.packets.attach(bridge, client);
    this.reconciler.linkUp(bridge);
  }

  private async tablesRead(bridge: string): Promise<void> {
    const { integration_bridge, tunnel_bridge } = this.options.settings;
    if (bridge !== integration_bridge && bridge !== tunnel_bridge) return;
    if (this.mirror.bridge(bridge) === undefined || this.blueprint.board(bridge).installed !== undefined) return;
    await new Promise<void>((resolve) => {
      this.readers.set(bridge, [...(this.readers.get(bridge) ?? []), resolve]);
      setTimeout(resolve, READ_PATIENCE_MS).unref();
    });
  }

  private sweepable(plugin: string): void {
    for (const board of this.blueprint.allBoards()) board.compareUnwanted();
    this.reconciler.sweep(`${plugin} complete`);
  }

  private recognise(bridge: string): void {
    for (const resolve of this.readers.get(bridge) ?? []) resolve();
    this.readers.delete(bridge);
    this.ownership.takeOver.bridgeRead(bridge);
  }

  /** Bridges that an earlier run made: a plugin that is not on the list any more may have left flows there, and no key leads to them. */
  private connectToMade(): void {
    for (const bridge of this.mirror.bridges()) {
      if (markOf(bridge) === undefined) continue;
      this.blueprint.board(bridge.name);
      this.links.want(bridge.name);
    }
  }

  /** Ports that bear a plugin's mark and that none of its keys wants go once the plugin is complete. */
  private sweepRows(): boolean {
    let found = this.ownership.takeOver.forgetComplete();
    for (const port of this.mirror.ports()) {
      const plugin = markOf(port);
      if (plugin === undefined || this.blueprint.rowPlanner.makes(port.name)) continue;
      const listed = this.options.plugins.some(({ id }) => id === plugin);
      const free = listed ? this.ownership.isComplete(plugin) : this.ownership.allComplete();
      if (!free) continue;
      this.blueprint.rowPlanner.sweep(port.name);
      found = true;
    }
    return found;
  }
}
