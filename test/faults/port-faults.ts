import type { Fault } from './fault';
import { growthOf, sizesOf } from './growth';
import { untilItSaysWhy } from './outage';
import { underRule } from './rules';
import { type AgentKind, pause, type Stage } from './stage';

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
  cycles(10, 1),
  { ...cycles(100, 20), long: true },
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

/** So many times, so many ports at once are plugged, served, unplugged and deleted. */
function cycles(count: number, ports: number): Fault {
  return {
    name: `${count * ports} plugs and unplugs`,
    bar: 0,
    run: async (stage) => {
      // The first cycles fill caches and pools.
      for (let cycle = 0; cycle < 5; cycle++) await plugTogether(stage, ports);
      const before = await sizesOf(stage);
      const measured = await stage.under(async () => {
        for (let cycle = 0; cycle < count; cycle++) await plugTogether(stage, ports);
      });
      return {
        ...measured,
        detail: [measured.detail, growthOf(before, await sizesOf(stage))].filter(Boolean).join(' '),
      };
    },
  };
}

async function plugTogether(stage: Stage, count: number): Promise<void> {
  const one = async (): Promise<void> => stage.untilServed(await stage.instanceOn(stage.host, stage.vlan));
  await Promise.all(Array.from({ length: count }, one));
}
