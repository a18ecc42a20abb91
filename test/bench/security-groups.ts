/** Figures of security groups: Patchbay and the reference agent in turn beside the stand-in server, in large groups. */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Bed, until } from '../support/bed';
import {
  type RuleWish,
  standInNetwork,
  standInPort,
  standInRule,
  standInSecurityGroup,
  standInSubnet,
} from '../support/stand-in-objects';
import { StandInServer } from '../support/stand-in-server';
import { type AgentName, startAgent } from './agents';
import { FlowChanges, type SettledChange } from './flow-changes';
import { untilReportedUp } from './stand-in-world';
import { usageBeside } from './usage';
import { WatchedLoop } from './watched-loop';
import { type BenchPort, WatchedSwitch } from './watched-switch';

export interface GroupScale {
  readonly ports: number;
  readonly members: number;
  /** Rules of the group that all ports have. */
  readonly rules: number;
  /** Rules that are added to it, and removed from it, at once. */
  readonly changedRules: number;
  /** How often that is done; with 0, no rule changes at all. */
  readonly rounds: number;
  /** Members that join, one after the other. */
  readonly joins: number;
}

export interface GroupFigures {
  /** From plugged to the last flow. */
  readonly wiredMs: number;
  readonly flows: number;
  /** Flows more than before, with the rules that were added, and after they were taken away again. */
  readonly flowsWithRules: number;
  readonly flowsAfter: number;
  readonly rssMiB: number;
  readonly joins: readonly SettledChange[];
  readonly added: readonly SettledChange[];
  readonly removed: readonly SettledChange[];
  /** The longest that Patchbay's event loop was kept busy at a stretch while rules changed. */
  readonly longestStretchMs: number | undefined;
  /** A rule of each of as many groups as there are ports. */
  readonly spread: SettledChange | undefined;
}

/** How long no flow may change before all is taken to be done: longer than an agent thinks, or sleeps between two polls. */
const QUIET_MS: Readonly<Record<AgentName, number>> = { patchbay: 1_500, reference: 20_000 };

/** The reference agent takes minutes for a hundred ports with fifty rules each. */
const WIRING_PATIENCE_MS = 400_000;

export async function measureGroups(name: AgentName, bed: Bed, scale: GroupScale): Promise<GroupFigures> {
  await bed.reset();
  const host = bed.host(1);
  const hostProcess = Number(readFileSync(join(host.folder, 'pid'), 'utf8'));
  const runDir = `/proc/${hostProcess}/root/run/openvswitch`;
  const world = await startWorld(host.name, scale);
  const loop = name === 'patchbay' ? new WatchedLoop(`/proc/${hostProcess}/root`) : undefined;
  const running = await startAgent(name, host, INI, loop?.environment);
  const watched = await WatchedSwitch.open({ runDir, interfaceType: 'internal' });
  await until(() => existsSync(join(runDir, 'br-int.mgmt')), { what: 'the bridge is there' });
  const changes = await FlowChanges.watch(runDir, QUIET_MS[name]);
  try {
    const since = performance.now();
    const wired = await changes.settledBy(async () => {
      await watched.insert(world.ports);
      await untilReportedUp(world.server, world.ports, since, WIRING_PATIENCE_MS);
    });
    const flows = await watched.flowCount();
    const { rssMiB } = usageBeside(hostProcess);
    const joins: SettledChange[] = [];
    for (let index = 0; index < scale.joins; index++) {
      await pause(Math.random() * 200);
      joins.push(await changes.settledBy(() => world.join(index)));
    }
    const flowsBefore = await watched.flowCount();
    const [added, removed]: [SettledChange[], SettledChange[]] = [[], []];
    let [flowsWithRules, flowsAfter] = [0, 0];
    await loop?.longestStretch();
    for (let round = 0; round < scale.rounds; round++) {
      const more = world.moreRules();
      added.push(await changes.settledBy(more.add));
      flowsWithRules = (await watched.flowCount()) - flowsBefore;
      removed.push(await changes.settledBy(more.remove));
      flowsAfter = (await watched.flowCount()) - flowsBefore;
    }
    const longestStretchMs = await loop?.longestStretch();
    const spread = scale.rounds === 0 ? undefined : await changes.settledBy(world.addRuleToEach);
    const rules = { added, removed, flowsWithRules, flowsAfter, longestStretchMs };
    return { wiredMs: wired.ms, flows, rssMiB, joins, spread, ...rules };
  } finally {
    await changes.close();
    await watched.close();
    await running.stop();
    await host.stopPrograms();
    await world.server.close();
  }
}

const INI = { securitygroup: { firewall_driver: 'openvswitch' } };

interface World {
  readonly server: StandInServer;
  readonly ports: readonly BenchPort[];
  readonly join: (index: number) => Promise<void>;
  /** Rules of the large group that were not there before. */
  readonly moreRules: () => { readonly add: () => Promise<void>; readonly remove: () => Promise<void> };
  readonly addRuleToEach: () => Promise<void>;
}

/** One network; every port of the host has one large group and one of its own. A tenth of the rules names the group `lb`, whose members are elsewhere. */
async function startWorld(host: string, scale: GroupScale): Promise<World> {
  const server = await StandInServer.start({ transportUrl: 'rabbit://guest:guest@127.0.0.1:5672/' });
  const [web, lb] = [randomUUID(), randomUUID()];
  const network = standInNetwork({ networkType: 'vxlan', segmentationId: 1000 });
  const subnet = standInSubnet(network.id, '10.0.0.0/16');
  server.preload('Network', network);
  server.preload('Subnet', subnet);
  const rules = Array.from({ length: scale.rules }, (_, index) => ruleAt(index, lb));
  server.preload('SecurityGroup', standInSecurityGroup(rules, web), standInSecurityGroup([], lb));
  const portAt = (index: number, where: string, groups: readonly string[]) => {
    const [high, low] = [index >> 8, index & 0xff];
    const macAddress = `fa:16:3e:00:${hexByte(high)}:${hexByte(low)}`;
    const fixedIps = [{ subnetId: subnet.id, address: `10.0.${high}.${low}` }];
    return standInPort({ network, host: where, macAddress, fixedIps, securityGroupIds: groups });
  };
  const own = Array.from({ length: scale.ports }, () => randomUUID());
  server.preload('SecurityGroup', ...own.map((id) => standInSecurityGroup([], id)));
  const local = own.map((id, index) => portAt(0x100 + index, host, [web, id]));
  server.preload('Port', ...local);
  const MEMBERS = 0x1000;
  for (let index = 0; index < scale.members; index++)
    server.preload('Port', portAt(MEMBERS + index, 'elsewhere', [lb]));
  // The server tells of each rule in a message of its own, one after the other.
  const each = async (event: 'created' | 'deleted', objects: readonly { readonly id: string }[]) => {
    await Promise.all(objects.map((object) => server.push('SecurityGroupRule', event, object)));
  };
  return {
    server,
    ports: local.map(({ id, mac_address }) => ({ id, macAddress: String(mac_address) })),
    join: async (index) => {
      const port = portAt(0x4000 + index, 'elsewhere', [lb]);
      server.preload('Port', port);
      await server.push('Port', 'updated', port);
    },
    moreRules: () => {
      const more = Array.from({ length: scale.changedRules }, (_, index) =>
        standInRule(web, { direction: 'ingress', protocol: 'tcp', ports: [30_000 + index, 30_000 + index] }),
      );
      return {
        add: async () => {
          server.preload('SecurityGroupRule', ...more);
          await each('created', more);
        },
        remove: () =>
          each(
            'deleted',
            more.map(({ id }) => ({ id })),
          ),
      };
    },
    addRuleToEach: () =>
      each(
        'created',
        own.map((id) => standInRule(id, { direction: 'ingress', protocol: 'udp', ports: [53, 53] })),
      ),
  };
}

function ruleAt(index: number, remoteGroupId: string): RuleWish {
  if (index === 0) return { direction: 'egress' };
  const ports = [1000 + index, 1000 + index] as const;
  const rule: RuleWish = { direction: 'ingress', protocol: 'tcp', ports };
  return index % 10 === 5 ? { ...rule, remoteGroupId } : rule;
}

const hexByte = (value: number): string => value.toString(16).padStart(2, '0');
