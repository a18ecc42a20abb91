import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conditionsOf, untilStatus } from '../support/bed-agent';
import { repository } from '../support/bed-command';
import { type Fault, withSettings } from './fault';
import type { Stage } from './stage';

/** An outsider's plugin of test/faults/plugins on the list, while ports come up and the agent restarts; in the end the status names it. */
function withPlugin(what: string, id: string, listed: Readonly<Record<string, unknown>> = {}): Fault {
  return {
    name: `an outsider’s plugin that ${what}, while ports come up`,
    only: 'patchbay',
    bar: 0,
    run: (stage, kind) => {
      const path = join(repository, `test/faults/plugins/${id}.js`);
      const file = join(stage.host.folder, 'outsiders.yaml');
      writeFileSync(file, JSON.stringify({ plugins: [{ name: path, ...listed }] }));
      return withSettings(stage, kind, { patchbay: { plugins_file: file } }, () =>
        stage.under(async () => {
          await stage.probe();
          await stage.probe();
          await isNamed(stage, `outsider-${id}`);
          await stage.probe();
        }),
      );
    },
  };
}

const isNamed = (stage: Stage, plugin: string) =>
  untilStatus(stage.host, `${plugin} is named`, (status) => conditionsOf(status, plugin).length > 0, {
    timeoutMs: stage.patienceMs,
  });

export const pluginFaults: readonly Fault[] = [
  withPlugin('throws', 'throws'),
  withPlugin('hangs', 'hangs'),
  withPlugin('leaks, in a thread of its own', 'leaks', { isolation: 'worker' }),
];
