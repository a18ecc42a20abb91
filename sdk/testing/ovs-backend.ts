import {
  connectBridge,
  defaultSettings,
  type InstalledFlow,
  type PrivateSwitch,
  type Switch,
  startPrivateSwitch,
} from '@patchbay/agent/testing';
import type { Backend, PacketSentUp, PluggedPort, SwitchReach } from './backend';

/** Milliseconds between looks at a switch that works on its own. */
const LOOK_MS = 20;

/** A real Open vSwitch with a datapath in userspace, in a directory of its own. Needs its programs and no privileges. */
export class OvsBackend implements Backend {
  readonly kind = 'ovs';

  private constructor(private readonly ovs: PrivateSwitch) {}

  static async start(): Promise<OvsBackend> {
    return new OvsBackend(await startPrivateSwitch());
  }

  get reach(): SwitchReach {
    const { dbSocket, runDir } = this.ovs;
    return {
      settings: {
        ...defaultSettings(),
        ovsdb_connection: `unix:${dbSocket}`,
        ovs_run_dir: runDir,
        resync_interval: 0,
      },
      more: {},
    };
  }

  async addBridge(name: string): Promise<void> {
    await this.ovs.vsctl('add-br', name, '--', 'set', 'Bridge', name, 'fail_mode=secure', 'datapath_type=netdev');
  }

  async plug({ name, bridge = 'br-int', externalIds = {} }: PluggedPort): Promise<void> {
    const ids = Object.entries(externalIds).map(([key, value]) => `external_ids:${key}="${value}"`);
    await this.ovs.vsctl('add-port', bridge, name, '--', 'set', 'Interface', name, 'type=internal', ...ids);
  }

  async unplug(name: string): Promise<void> {
    await this.ovs.vsctl('del-port', name);
  }

  async packetIn({ bridge, table, bytes, inPort = bridge }: PacketSentUp): Promise<void> {
    const frame = Buffer.from(bytes).toString('hex');
    await this.ovs.ofctl('packet-out', bridge, `in_port=${inPort},packet=${frame},actions=resubmit(,${table})`);
  }

  restart(): Promise<void> {
    return this.ovs.restart();
  }

  async installed(bridge: string): Promise<readonly InstalledFlow[]> {
    const client = await connectBridge(bridge, this.reach.settings);
    try {
      return await client.dumpFlows();
    } finally {
      await client.close();
    }
  }

  async quiet(side: Switch): Promise<void> {
    // Still when nothing was done between two looks; rounds follow what the switch tells of its own accord.
    for (let still = 0, last = -1; still < 2; ) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      await side.settled();
      const { rounds } = side.status().figures;
      still = rounds === last ? still + 1 : 0;
      last = rounds;
    }
  }

  stop(): Promise<void> {
    return this.ovs.stop();
  }
}
