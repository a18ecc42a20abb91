import { join } from 'node:path';
import type { Host } from '../support/bed';
import { until } from '../support/bed';
import { repository } from '../support/bed-command';

/** Kills a daemon of the host's switch by the process id it wrote, and waits until it is gone. */
export async function killDaemon(host: Host, name: 'ovs-vswitchd' | 'ovsdb-server'): Promise<void> {
  const pid = Number(await host.exec(`cat /run/openvswitch/${name}.pid`));
  await host.exec(`kill -KILL ${pid} && while kill -0 ${pid} 2>/dev/null; do sleep 0.02; done`);
}

export async function startDatabase(host: Host): Promise<void> {
  const remotes = '--remote=punix:/run/openvswitch/db.sock --remote=ptcp:6640:127.0.0.1';
  await host.exec(
    `ovsdb-server --detach --no-chdir --pidfile --log-file ${remotes} /etc/openvswitch/conf.db 2>/dev/null`,
  );
}

/** Starts ovs-vswitchd again and lets flows be put back, if any are, before the underlay bridge's own port, another now, has its address. */
export async function startSwitch(host: Host, restore: () => Promise<void> = async () => undefined): Promise<void> {
  await host.exec([join(repository, 'test/bed/service'), 'switch']);
  await restore();
  await until(() => host.exec(['ip', 'link', 'show', 'br-underlay']), {
    everyMs: 20,
    what: 'the underlay bridge has its port',
  });
  await host.exec([join(repository, 'test/bed/hosts'), 'address', String(host.number)]);
}

/** Saves flows and groups of every bridge by the script that ovs-ctl has for it. Answers what puts them back. */
async function saveFlows(host: Host): Promise<() => Promise<void>> {
  const bridges = (await host.vsctl('list-br')).trim().split('\n').join(' ');
  const script = '/run/restore-flows';
  await host.exec(`/usr/share/openvswitch/scripts/ovs-save save-flows ${bridges} >${script} 2>/dev/null`);
  return async () => void (await host.exec(`bash ${script} 2>&1`));
}

/** Flows are put back as soon as ovs-vswitchd has started: the quickest that the switch alone can do. */
export async function restartWithFlows(host: Host): Promise<void> {
  const restore = await saveFlows(host);
  await killDaemon(host, 'ovs-vswitchd');
  await startSwitch(host, restore);
}

/**
 * As `ovs-ctl restart` does it: flows are put back while flow-restore-wait keeps everybody else from writing, and ovs-vswitchd from
 * forwarding.
 */
export async function restartAsControl(host: Host): Promise<void> {
  const restore = await saveFlows(host);
  await host.vsctl('set', 'Open_vSwitch', '.', 'other_config:flow-restore-wait=true');
  await killDaemon(host, 'ovs-vswitchd');
  await startSwitch(host, async () => {
    await restore();
    await host.vsctl('remove', 'Open_vSwitch', '.', 'other_config', 'flow-restore-wait');
  });
}

/**
 * Takes the controllers away and leaves the flows: ovs-vswitchd configures controllers only once flow-restore-wait is cleared, and empties
 * a bridge's tables when its first controller comes, so that what ovs-ctl puts back stays on a bridge without any.
 */
export async function takeControllers(host: Host): Promise<void> {
  const restore = await saveFlows(host);
  for (const bridge of (await host.vsctl('list-br')).trim().split('\n')) await host.vsctl('del-controller', bridge);
  await restore();
}

/** Gives bridges of the agent's a controller again; the agent that is started next finds them as after any restart. */
export async function giveControllers(host: Host, target: string): Promise<void> {
  for (const bridge of ['br-int', 'br-tun']) await host.vsctl('set-controller', bridge, target);
}
