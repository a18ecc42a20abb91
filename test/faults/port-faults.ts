import { readFileSync } from 'node:fs';
import type { Fault } from './fault';
import type { Stage } from './stage';

/** Of the first host's agent, in MiB. */
function residentMemory({ agent }: Stage): number {
  const text = readFileSync(`/proc/${agent?.pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024);
}

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
    name: '10 cycles of plug and unplug',
    bar: 0,
    run: async (stage) => {
      // The first cycles fill caches and pools.
      for (let cycle = 0; cycle < 5; cycle++) await stage.probe();
      const before = residentMemory(stage);
      const measured = await stage.under(async () => {
        for (let cycle = 0; cycle < 10; cycle++) await stage.probe();
      });
      return {
        ...measured,
        detail: `${measured.detail} resident memory ${before} → ${residentMemory(stage)} MiB`.trim(),
      };
    },
  },
];
