import type { Fault } from './fault';
import { growthOf, sizesOf } from './growth';
import { underRule } from './rules';
import { pause, type Stage } from './stage';

export const portFaults: readonly Fault[] = [
  {
    name: 'a port that the switch cannot make, another plugged beside it',
    bar: 0,
    run: (stage) =>
      stage.under(async () => {
        const port = await stage.bed.rest.createPort(stage.vlan.id, 'host1');
        const name = `tap${port.id.slice(0, 11)}`;
        const marks = [`external_ids:iface-id=${port.id}`, `external_ids:attached-mac="${port.mac_address}"`];
        const plugged = ['add-port', 'br-int', name, '--', 'set', 'Interface', name, ...marks];
        await stage.host.exec(['ovs-vsctl', '--no-wait', ...plugged]);
        await stage.probe();
        await stage.host.vsctl('del-port', name);
        await stage.bed.rest.deletePort(port.id);
      }),
  },
  {
    name: 'a rule of the security group added, and removed',
    bar: 0,
    run: (stage) => stage.under(() => underRule(stage, () => pause(500))),
  },
  cycles(10, 1),
  { ...cycles(100, 20), long: true },
];

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
