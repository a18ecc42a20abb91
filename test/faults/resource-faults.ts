import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { untilStatus } from '../support/bed-agent';
import { run } from '../support/bed-command';
import { type Fault, stopAgent } from './fault';
import { pause } from './stage';

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
      const free = (await stage.host.exec(`df --output=avail ${folder} | tail -n 1`)).trim();
      if (free !== '0' || !(await stage.host.exec(['ls', folder])).includes('.log'))
        throw new Error('its disk is not full');
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
  clockJump('an hour forwards', '+1h'),
  clockJump('a day backwards', '-1d'),
];

/** The wall clock that the agent sees jumps, by libfaketime: the machine's own cannot be set for one bed alone. Monotonic clocks go on. */
function clockJump(what: string, offset: string): Fault {
  return {
    name: `the clock jumps ${what}`,
    only: 'patchbay',
    bar: 0,
    run: async (stage, kind) => {
      const file = join(stage.host.folder, 'faketime');
      writeFileSync(file, '+0');
      await stopAgent(stage, 'SIGTERM');
      const library = (await run(['bash', '-c', 'ls /usr/lib/*/faketime/libfaketime.so.1'])).trim();
      const environment = {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      };
      stage.agent = stage.host.startPatchbay({ environment });
      await stage.agentSynced(kind);
      const measured = await stage.under(async () => {
        writeFileSync(file, offset);
        await stage.probe();
        await untilStatus(stage.host, 'all is well', ({ health }) => health === 'ok', {
          timeoutMs: stage.patienceMs,
        });
        await pause(5_000);
        await stage.probe();
      });
      await stopAgent(stage, 'SIGTERM');
      stage.startAgent(kind);
      await stage.agentSynced(kind);
      return measured;
    },
  };
}
