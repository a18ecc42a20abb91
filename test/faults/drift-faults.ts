import type { Fault } from './fault';
import type { Stage } from './stage';

const tapOf = (stage: Stage): string => stage.instance(0).interfaceName;
const ofctl = (stage: Stage, ...words: readonly string[]) => stage.host.ofctl(...words);

export const driftFaults: readonly Fault[] = [
  {
    name: 'a translation flow deleted by hand',
    run: (stage) => stage.under(async () => void (await ofctl(stage, 'del-flows', 'br-int', 'table=0,dl_vlan=100'))),
  },
  {
    name: 'a translation flow changed by hand',
    run: (stage) =>
      stage.under(async () => void (await ofctl(stage, 'mod-flows', 'br-int', 'table=0,dl_vlan=100 actions=drop'))),
  },
  {
    name: 'a dropping flow added by hand',
    run: (stage) =>
      stage.under(
        async () =>
          void (await ofctl(stage, 'add-flow', 'br-int', 'table=60,priority=65000,cookie=0xbad actions=drop')),
      ),
  },
  {
    name: 'every flow of br-int deleted by hand',
    run: (stage) => stage.under(async () => void (await ofctl(stage, 'del-flows', 'br-int')), { rewritten: true }),
  },
  {
    name: 'the tag of the port edited',
    run: (stage) =>
      stage.under(async () => void (await stage.host.vsctl('set', 'Port', tapOf(stage), 'tag=99')), {
        flows: 'any',
      }),
  },
  {
    name: 'the peer of the provider uplink edited',
    run: (stage) =>
      stage.under(async () => void (await stage.host.vsctl('set', 'Interface', 'int-br-ex', 'options:peer=nowhere')), {
        flows: 'any',
      }),
  },
];
