import type { Fault } from './fault';
import { growthOf, sizesOf } from './growth';
import { untilItSaysWhy } from './outage';
import { underRule } from './rules';
import { type AgentKind, type Measurement, pause, type Stage } from './stage';
import type { Instance } from './traffic';

export const portFaults: readonly Fault[] = [
  {
    name: 'a port whose device is not there, another plugged beside it; then it is',
    bar: 0,
    run: (stage, kind) => stage.under(() => withoutDevice(stage, kind)),
  },
  {
    name: 'a rule of the security group added, and removed',
    bar: 0,
    run: (stage) => stage.under(() => underRule(stage, () => pause(500))),
  },
  { name: '10 plugs and unplugs', bar: 0, run: (stage) => growth(stage, 1, (cycles) => cycles < 10) },
  {
    name: 'plugs and unplugs for ten minutes, 20 ports at a time',
    bar: 0,
    long: true,
    run: (stage) => growth(stage, 20, (_cycles, elapsedMs) => elapsedMs < 600_000),
  },
];

/** A port that cannot be wired is named, holds up none, and is wired when it can be. */
async function withoutDevice(stage: Stage, kind: AgentKind): Promise<void> {
  const instance = await stage.prepared();
  await instance.plugWithoutDevice();
  await stage.probe();
  await untilItSaysWhy(stage, kind, 'port-binding', /ports/);
  await instance.plug();
  await stage.untilServed(instance);
}

/** So many ports at once are plugged, served, unplugged and deleted, as long as it is to go on; says what has grown by then. */
async function growth(
  stage: Stage,
  ports: number,
  goesOn: (cycles: number, elapsedMs: number) => boolean,
): Promise<Measurement> {
  // The first cycles fill caches and pools.
  for (let cycle = 0; cycle < 5; cycle++) await plugTogether(stage, ports);
  const before = await sizesOf(stage);
  let cycles = 0;
  const measured = await stage.under(async () => {
    const began = performance.now();
    for (; goesOn(cycles, performance.now() - began); cycles++) await plugTogether(stage, ports);
  });
  const grown = `${cycles * ports} plugs: ${growthOf(before, await sizesOf(stage))}`;
  return { ...measured, detail: [measured.detail, grown].filter(Boolean).join(' ') };
}

async function plugTogether(stage: Stage, count: number): Promise<void> {
  const one = (): Promise<Instance> => stage.instanceOn(stage.host, stage.vlan);
  const instances = await Promise.all(Array.from({ length: count }, one));
  const ids = instances.map(({ portId }) => portId);
  // The server is asked of every port: oftener, and it does little else than answer that.
  await stage.bed.rest.untilPortsAre('ACTIVE', ids, { timeoutMs: stage.patienceMs, everyMs: 20 * count });
  for (const instance of instances) {
    await instance.unplug();
    await stage.bed.rest.deletePort(instance.portId);
  }
}
