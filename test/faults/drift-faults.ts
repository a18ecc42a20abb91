import { until } from '../support/bed';
import { type Edited, underEdit, untilNoticed } from './edits';
import { type Fault, withSettings } from './fault';
import { pause, type Stage } from './stage';

const tapOf = (stage: Stage): string => stage.instance(0).interfaceName;
const ofctl = (stage: Stage, ...words: readonly string[]) => stage.host.ofctl(...words);

/** An agent that compares nothing in this time does not find out later either. */
const PATIENCE_MS = 30_000;

/** Each is over in a moment, and loses more or less with the machine's moods. */
const TIMES = 3;

/** The flow that gives frames of the VLAN network their local VLAN. */
const TRANSLATION = 'table=0,dl_vlan=100';
/** A flow that no frame of the traffic meets. */
const ASIDE = 'table=60,priority=7,dl_dst=02:00:00:00:5e:5e';

const has = async (stage: Stage, bridge: string, match: string): Promise<boolean> =>
  /cookie=/.test(await ofctl(stage, 'dump-flows', bridge, match));

interface FlowEdit extends Edited {
  readonly edit: (stage: Stage) => Promise<unknown>;
  /** What is there before it; an edit of nothing would be none. */
  readonly of?: string;
  readonly rewritten?: boolean;
}

const flowEdit = (name: string, { edit, of, rewritten = false, ...edited }: FlowEdit): Fault => ({
  name,
  times: TIMES,
  run: async (stage, kind) => {
    if (of !== undefined && !(await has(stage, 'br-int', of))) throw new Error(`there is no flow ${of}`);
    return underEdit(stage, kind, edited, () =>
      stage.under(async () => void (await edit(stage)), { rewritten, patienceMs: PATIENCE_MS }),
    );
  },
});

interface RowEdit {
  readonly owner: RegExp;
  /** Words of ovs-vsctl that do it. */
  readonly edit: (stage: Stage) => readonly string[];
  /** Words of ovs-vsctl that show what is edited; it is to be again as it was. */
  readonly shown: (stage: Stage) => readonly string[];
  readonly network?: 'vxlan';
}

const rowEdit = (name: string, { owner, edit, shown, network = undefined }: RowEdit): Fault => ({
  name,
  times: TIMES,
  run: async (stage, kind) => {
    const show = () => stage.host.vsctl(...shown(stage));
    const former = await show();
    const isMended = async () => (await show()) === former;
    return underEdit(stage, kind, { what: 'row', owner }, () =>
      stage.under(async () => void (await stage.host.vsctl(...edit(stage))), {
        synced: () => until(isMended, { timeoutMs: PATIENCE_MS, everyMs: 50, what: 'the row is as it was' }),
        patienceMs: PATIENCE_MS,
        ...(network === undefined ? {} : { network }),
      }),
    );
  },
});

/** The one tunnel of two hosts. */
const TUNNEL = 'vxlan-c6130002';

export const driftFaults: readonly Fault[] = [
  flowEdit('a translation flow deleted by hand', {
    what: 'removed',
    owner: /bridge-mappings segment\//,
    of: TRANSLATION,
    edit: (stage) => ofctl(stage, 'del-flows', 'br-int', TRANSLATION),
  }),
  flowEdit('a translation flow changed by hand', {
    what: 'changed',
    owner: /bridge-mappings segment\//,
    of: TRANSLATION,
    edit: (stage) => ofctl(stage, 'mod-flows', 'br-int', `${TRANSLATION} actions=drop`),
  }),
  flowEdit('a dropping flow added by hand', {
    what: 'added',
    owner: /foreign cookie 0xbad/,
    edit: (stage) => ofctl(stage, 'add-flow', 'br-int', 'table=60,priority=65000,cookie=0xbad actions=drop'),
  }),
  flowEdit('every flow of br-int deleted by hand', {
    what: 'removed',
    owner: /port-binding|bridge-mappings|integration-bridge|security-groups/,
    rewritten: true,
    edit: (stage) => ofctl(stage, 'del-flows', 'br-int'),
  }),
  rowEdit('the tag of the port edited', {
    owner: /port-binding/,
    edit: (stage) => ['set', 'Port', tapOf(stage), 'tag=99'],
    shown: (stage) => ['get', 'Port', tapOf(stage), 'tag'],
  }),
  rowEdit('the peer of the provider uplink edited', {
    owner: /bridge-mappings/,
    edit: () => ['set', 'Interface', 'int-br-ex', 'options:peer=nowhere'],
    shown: () => ['get', 'Interface', 'int-br-ex', 'options:peer'],
  }),
  rowEdit('the other end of a tunnel edited', {
    owner: /tunnels|l2-population/,
    edit: () => ['set', 'Interface', TUNNEL, 'options:remote_ip=198.19.0.99'],
    shown: () => ['get', 'Interface', TUNNEL, 'options:remote_ip'],
    network: 'vxlan',
  }),
  rowEdit('the port of a tunnel deleted', {
    owner: /tunnels|l2-population/,
    edit: () => ['del-port', 'br-tun', TUNNEL],
    shown: () => ['list-ports', 'br-tun'],
    network: 'vxlan',
  }),
  rowEdit('the uplink to the provider bridge deleted', {
    owner: /bridge-mappings/,
    edit: () => ['del-port', 'br-int', 'int-br-ex'],
    shown: () => ['--columns=name,options', 'list', 'Interface', 'int-br-ex'],
  }),
  {
    name: 'a flow added under a cookie of reserved_cookies, and one beside it under no one’s',
    only: 'patchbay',
    bar: 0,
    run: (stage, kind) =>
      withSettings(stage, kind, { patchbay: { reserved_cookies: '0x5e5e' } }, () =>
        underEdit(stage, kind, { what: 'added', owner: /foreign cookie 0xbad/ }, () =>
          stage.under(async () => {
            await ofctl(stage, 'add-flow', 'br-int', `cookie=0x5e5e,${ASIDE},dl_vlan=7 actions=drop`);
            await ofctl(stage, 'add-flow', 'br-int', `cookie=0xbad,${ASIDE},dl_vlan=8 actions=drop`);
            await until(async () => !(await has(stage, 'br-int', 'cookie=0xbad/-1')), {
              what: 'the flow under no one’s cookie is gone',
            });
            await pause(1_000);
            if (!(await has(stage, 'br-int', 'cookie=0x5e5e/-1'))) throw new Error('the listed cookie’s went');
            await ofctl(stage, 'del-flows', 'br-int', 'cookie=0x5e5e/-1');
          }),
        ),
      ),
  },
  {
    name: 'a flow added, one deleted and a row edited by hand, where drift is only reported',
    only: 'patchbay',
    bar: 0,
    run: (stage, kind) =>
      withSettings(stage, kind, { patchbay: { drift: 'report' } }, () =>
        underEdit(stage, kind, { what: 'row', owner: /tunnels/ }, () => stage.under(() => editsThatStay(stage))),
      ),
  },
];

/** None is in the traffic's way. Each is counted, is still there a second later, and is then put back by who made it. */
async function editsThatStay(stage: Stage): Promise<void> {
  const { host } = stage;
  const flows = await ofctl(stage, '--no-stats', 'dump-flows', 'br-tun', 'table=6');
  const flow = flows
    .split('\n')
    .find((line) => line.includes('cookie='))
    ?.trim();
  if (flow === undefined) throw new Error('br-tun has no flow in table 6');
  await untilNoticed(stage, 'added', () => ofctl(stage, 'add-flow', 'br-int', `cookie=0xbad,${ASIDE} actions=drop`));
  await untilNoticed(stage, 'removed', () => ofctl(stage, 'del-flows', 'br-tun', 'table=6'));
  await untilNoticed(stage, 'row', () => host.vsctl('set', 'Interface', TUNNEL, 'options:df_default=false'));
  await pause(1_000);
  if (!(await has(stage, 'br-int', 'cookie=0xbad/-1'))) throw new Error('the flow that was added was taken away');
  if (await has(stage, 'br-tun', 'table=6')) throw new Error('the flow that was deleted was made again');
  const kept = (await host.vsctl('get', 'Interface', TUNNEL, 'options:df_default')).trim();
  if (kept !== '"false"') throw new Error(`the edited row was put back: ${kept}`);
  await ofctl(stage, 'del-flows', 'br-int', 'cookie=0xbad/-1');
  await ofctl(stage, 'add-flow', 'br-tun', flow);
  await host.vsctl('set', 'Interface', TUNNEL, 'options:df_default=true');
}
