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

/** Starts ovs-vswitchd again, and gives the underlay bridge's own port, which is another now, its address. */
export async function startSwitch(host: Host): Promise<void> {
  await host.exec([join(repository, 'test/bed/service'), 'switch']);
  await addressUnderlay(host);
}

export async function addressUnderlay(host: Host): Promise<void> {
  await until(() => host.exec(['ip', 'link', 'show', 'br-underlay']), { everyMs: 20 });
  await host.exec([join(repository, 'test/bed/hosts'), 'address', String(host.number)]);
}

const OFCTL = 'ovs-ofctl -O OpenFlow10,OpenFlow13,OpenFlow14';

/** Saves the flows of every bridge. Answers what puts them back. */
async function savedFlows(host: Host): Promise<() => Promise<void>> {
  const bridges = (await host.vsctl('list-br')).trim().split('\n');
  for (const bridge of bridges) {
    await host.exec(`${OFCTL} --no-names --no-stats dump-flows ${bridge} | grep actions= > /run/${bridge}.flows`);
  }
  return async () => {
    for (const bridge of bridges) await host.exec(`${OFCTL} add-flows ${bridge} /run/${bridge}.flows`);
  };
}

/** What the switch alone can do: flows are put back as soon as it has started. */
export async function restartWithFlows(host: Host): Promise<void> {
  const restore = await savedFlows(host);
  await killDaemon(host, 'ovs-vswitchd');
  await host.exec([join(repository, 'test/bed/service'), 'switch']);
  await restore();
  await addressUnderlay(host);
}

/**
 * As `ovs-ctl restart` does it: flows are put back while flow-restore-wait keeps everybody else from writing. In
 * the trials with no agent the tables were empty once that was cleared; that Open vSwitch 3.1 configures controllers only then is a guess.
 */
export async function restartAsControl(host: Host): Promise<void> {
  const restore = await savedFlows(host);
  await host.vsctl('set', 'Open_vSwitch', '.', 'other_config:flow-restore-wait=true');
  await killDaemon(host, 'ovs-vswitchd');
  await startSwitch(host);
  await restore();
  await host.vsctl('remove', 'Open_vSwitch', '.', 'other_config', 'flow-restore-wait');
}
