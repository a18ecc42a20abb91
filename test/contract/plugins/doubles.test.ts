import { DEAD_VLAN, type PortDescription, printFlow } from '@patchbay/sdk';
import { aPort, Kit } from '@patchbay/testing';
import { stock } from '../../support/stock-kit';

jest.setTimeout(120_000);

let kit: Kit;

afterEach(() => kit.stop());

const ids = (portId: string) => ({ 'iface-id': portId, 'attached-mac': 'fa:16:3e:00:00:05' });
const described = (id: string, vlan: number): PortDescription => ({
  ...aPort({ id, segment: { networkId: `network-${vlan}`, segmentationId: vlan } }).port,
  status: 'ACTIVE',
});

async function start(where: 'memory' | 'ovs', ...ports: readonly PortDescription[]): Promise<void> {
  kit = await Kit.start({
    plugins: [stock('port-binding'), stock('integration-bridge'), stock('local-vlan')],
    switch: where,
    prepare: ({ controlPlane }) => {
      for (const port of ports) controlPlane.ports.set(port.id, port);
    },
  });
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 2_400; attempt += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never: ${what}`);
}

const tags = async () =>
  Object.fromEntries((await kit.switch.view.ports('br-int')).map(({ name, tag }) => [name, tag] as const));
/** The ports that br-int lets frames in from. */
const admitted = async () => {
  const ports = await kit.switch.view.ports('br-int');
  const lines = (await kit.installedFlows('br-int', 'port-binding')).map((flow) => printFlow(flow));
  return ports.flatMap(({ name, interfaces: [face] }) =>
    lines.some((line) => new RegExp(`in_port="?(${name}|${face?.ofport})"?,`).test(line)) ? [name] : [],
  );
};
const reported = () => kit.controlPlane.reports.map(({ up, down }) => ({ up, down }));

describe.each(['memory', 'ovs'] as const)('on a switch (%s)', (where) => {
  it('of two ports with one iface-id the later is open and the other shut, whichever goes first', async () => {
    await start(where, described('p1', 101));
    await kit.plug({ name: 'tap-old', externalIds: ids('p1') });
    await until('wired', async () => (await tags())['tap-old'] === 1);
    await kit.plug({ name: 'tap-new', externalIds: ids('p1') });
    await until('the later is wired', async () => (await tags())['tap-new'] === 1);
    await until('the former is shut', async () => (await tags())['tap-old'] === DEAD_VLAN);
    await until('the later alone is let in', async () => (await admitted()).join() === 'tap-new');
    await kit.settled();
    const { rounds } = kit.switch.status().figures;
    await kit.settled();
    await kit.settled();
    expect(kit.switch.status().figures.rounds - rounds).toBeLessThanOrEqual(1);
    await kit.unplug('tap-new');
    await until('the one that is left is wired', async () => (await tags())['tap-old'] === 1);
    await until('it is let in', async () => (await admitted()).join() === 'tap-old');
    expect(reported()).toEqual([{ up: ['p1'], down: [] }]);
  });

  it('a port that another takes the name of leaves it no VLAN', async () => {
    await start(where, described('p1', 101));
    await kit.plug({ name: 'tap', externalIds: ids('p1') });
    await until('wired', async () => (await tags()).tap === 1);
    await kit.backend.unplug('tap');
    await kit.plug({ name: 'tap', externalIds: ids('p2') });
    await until('it is shut', async () => (await tags()).tap === DEAD_VLAN);
    await until('it is let in no more', async () => (await admitted()).length === 0);
    kit.controlPlane.ports.set('p2', described('p2', 102));
    kit.controlPlane.change({ kind: 'ports-changed', portIds: ['p2'], cause: 'test' });
    await until('it is wired', async () => (await tags()).tap === 2 || (await tags()).tap === 1);
    await until('it is let in', async () => (await admitted()).join() === 'tap');
  });
});
