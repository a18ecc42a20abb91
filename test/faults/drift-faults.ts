import { until } from '../support/bed';
import { type Fault, withSettings } from './fault';
import { pause, type Stage } from './stage';

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
  {
    name: 'a flow added under a cookie of reserved_cookies, and one beside it under no one’s',
    only: 'patchbay',
    bar: 0,
    run: (stage, kind) =>
      withSettings(stage, kind, { patchbay: { reserved_cookies: '0x5e5e' } }, () =>
        stage.under(async () => {
          const elsewhere = 'table=60,priority=7,dl_dst=02:00:00:00:5e:5e';
          await ofctl(stage, 'add-flow', 'br-int', `cookie=0x5e5e,${elsewhere},dl_vlan=7 actions=drop`);
          await ofctl(stage, 'add-flow', 'br-int', `cookie=0xbad,${elsewhere},dl_vlan=8 actions=drop`);
          await until(async () => !(await ofctl(stage, 'dump-flows', 'br-int', 'cookie=0xbad/-1')).includes('0xbad'));
          await pause(1_000);
          const left = await ofctl(stage, 'dump-flows', 'br-int', 'cookie=0x5e5e/-1');
          if (!left.includes('0x5e5e')) throw new Error('the listed cookie’s flow was taken away');
          await ofctl(stage, 'del-flows', 'br-int', 'cookie=0x5e5e/-1');
        }),
      ),
  },
  {
    name: 'a flow added by hand, where drift is only reported',
    only: 'patchbay',
    bar: 0,
    run: (stage, kind) =>
      withSettings(stage, kind, { patchbay: { drift: 'report' } }, () =>
        stage.under(async () => {
          await ofctl(
            stage,
            'add-flow',
            'br-int',
            'cookie=0xbad,table=60,priority=7,dl_dst=02:00:00:00:5e:5e actions=drop',
          );
          await until(async () => (await stage.status()).switch.drift.added > 0, { what: 'it is counted' });
          await pause(1_000);
          if (!(await ofctl(stage, 'dump-flows', 'br-int')).includes('0xbad')) throw new Error('it was taken away');
          await ofctl(stage, 'del-flows', 'br-int', 'cookie=0xbad/-1');
        }),
      ),
  },
];
