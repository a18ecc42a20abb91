import { until } from '../support/bed';
import { type Fault, withoutAgent } from './fault';
import { pause, type Stage } from './stage';
import {
  giveControllers,
  killDaemon,
  restartAsControl,
  restartWithFlows,
  startDatabase,
  startSwitch,
  takeControllers,
} from './switch-daemons';

const tapOf = (stage: Stage): string => stage.instance(0).interfaceName;
/** A restart of ovs-vswitchd loses more or less with the machine's moods. */
const RESTARTS = 5;

export const switchFaults: readonly Fault[] = [
  {
    name: 'the switch alone: ovs-vswitchd killed, flows saved and restored by ovs-save, no agent',
    only: 'patchbay',
    times: RESTARTS,
    run: (stage, kind) =>
      withoutAgent(stage, kind, () => stage.under(() => restartWithFlows(stage.host), { rewritten: true })),
  },
  {
    name: 'ovs-vswitchd killed, started again',
    times: RESTARTS,
    run: (stage) =>
      stage.under(
        async () => {
          await killDaemon(stage.host, 'ovs-vswitchd');
          await startSwitch(stage.host);
        },
        { rewritten: true },
      ),
  },
  {
    name: 'the switch alone: ovs-vswitchd restarted as ovs-ctl does, flow-restore-wait, no agent and no controller',
    only: 'patchbay',
    times: RESTARTS,
    run: (stage, kind) =>
      withoutAgent(stage, kind, async () => {
        const controller = (await stage.host.vsctl('get-controller', 'br-int')).trim();
        await takeControllers(stage.host);
        const measured = await stage.under(() => restartAsControl(stage.host), { rewritten: true });
        await giveControllers(stage.host, controller);
        return measured;
      }),
  },
  {
    name: 'ovs-vswitchd restarted as ovs-ctl does, flow-restore-wait',
    times: RESTARTS,
    run: (stage) => stage.under(() => restartAsControl(stage.host), { rewritten: true }),
  },
  {
    name: 'the switch alone: ovsdb-server killed, started again after 3 s, no agent',
    only: 'patchbay',
    run: (stage, kind) =>
      withoutAgent(stage, kind, () =>
        stage.under(async () => {
          await killDaemon(stage.host, 'ovsdb-server');
          await pause(3_000);
          await startDatabase(stage.host);
        }),
      ),
  },
  {
    name: 'ovsdb-server killed, started again after 3 s',
    run: (stage) =>
      stage.under(async () => {
        await killDaemon(stage.host, 'ovsdb-server');
        await pause(3_000);
        await startDatabase(stage.host);
        await stage.probe();
      }),
  },
  {
    name: 'ovsdb-server and ovs-vswitchd killed, started again',
    run: (stage) =>
      stage.under(
        async () => {
          await killDaemon(stage.host, 'ovsdb-server');
          await killDaemon(stage.host, 'ovs-vswitchd');
          await startDatabase(stage.host);
          await startSwitch(stage.host);
        },
        { rewritten: true },
      ),
  },
  {
    name: 'br-tun deleted',
    times: 3,
    run: (stage) =>
      stage.under(async () => void (await stage.host.vsctl('del-br', 'br-tun')), {
        rewritten: true,
        network: 'vxlan',
      }),
  },
  {
    name: 'br-tun deleted while ovs-vswitchd does not look, so that it keeps the flows',
    times: 3,
    run: (stage) =>
      stage.under(
        async () => {
          const pid = (await stage.host.exec('cat /run/openvswitch/ovs-vswitchd.pid')).trim();
          await stage.host.exec(`kill -STOP ${pid}; ovs-vsctl --no-wait del-br br-tun; sleep 0.2; kill -CONT ${pid}`);
          await pause(200);
        },
        { rewritten: true, network: 'vxlan' },
      ),
  },
  {
    name: 'br-int deleted, the ports of instances plugged again',
    run: (stage) =>
      stage.under(
        async () => {
          await stage.host.vsctl('del-br', 'br-int');
          await until(() => stage.host.vsctl('br-exists', 'br-int').then(() => true), {
            timeoutMs: stage.patienceMs,
            what: 'the agent has made br-int again',
          });
          await stage.instance(0).addToBridge();
          await stage.instance(2).addToBridge();
        },
        { rewritten: true, flows: 'any' },
      ),
  },
  {
    name: 'br-ex deleted, made again by hand after 1 s',
    run: (stage) => stage.under(() => providerBridgeAnew(stage), { rewritten: true }),
  },
  renumbered('the instance', tapOf, 1234),
  renumbered('the provider uplink', () => 'int-br-ex', 2345),
];

/** The port gets another number, as it may after a restart of the switch. */
function renumbered(what: string, portOf: (stage: Stage) => string, ofport: number): Fault {
  return {
    name: `ofport of ${what} renumbered`,
    run: (stage) =>
      stage.under(
        async () => {
          const port = portOf(stage);
          await stage.host.vsctl('set', 'Interface', port, `ofport_request=${ofport}`);
          const isDone = async () =>
            (await stage.host.vsctl('get', 'Interface', port, 'ofport')).trim() === `${ofport}`;
          await until(isDone, { what: 'the switch has renumbered the port' });
        },
        { flows: 'any' },
      ),
  };
}

/** As its operator makes it: with its cable, and none of the agent's parts. */
async function providerBridgeAnew({ host }: Stage): Promise<void> {
  await host.vsctl('del-br', 'br-ex');
  await pause(1_000);
  const bridge = ['add-br', 'br-ex', '--', 'set', 'Bridge', 'br-ex', 'datapath_type=netdev'];
  await host.vsctl(...bridge, '--', 'add-port', 'br-ex', 'cable2');
}
