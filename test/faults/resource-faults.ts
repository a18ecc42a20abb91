import { type Fault, stopAgent } from './fault';

export const resourceFaults: readonly Fault[] = [
  {
    name: 'the disk of the log full, then started again with it so',
    only: 'patchbay',
    bar: 0,
    run: async (stage, kind) => {
      const folder = '/run/tiny';
      await stage.host.exec(`mkdir -p ${folder} && mount -t tmpfs -o size=16k none ${folder}`);
      await stopAgent(stage, 'SIGTERM');
      const ini = { DEFAULT: { log_dir: folder, debug: true } };
      stage.agent = stage.host.startPatchbay({ ini });
      await stage.agentSynced(kind);
      await stage.host.exec(`head -c 64k /dev/zero > ${folder}/filler || true`);
      const measured = await stage.under(async () => {
        await stage.probe();
        await stopAgent(stage, 'SIGKILL');
        stage.agent = stage.host.startPatchbay({ ini });
        await stage.agentSynced(kind);
        await stage.probe();
      });
      await stopAgent(stage, 'SIGTERM');
      stage.startAgent(kind);
      await stage.agentSynced(kind);
      return measured;
    },
  },
];
