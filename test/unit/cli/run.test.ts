import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAgent } from '../../../core/cli/run';
import type { LoadedConfiguration } from '../../../core/host/configuration';
import type { Host } from '../../../core/host/host';
import { defaultSettings } from '../../../core/kernel/config/settings';

describe('a running agent', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'patchbay-run-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('goes on when SIGHUP finds files that cannot be made sense of, and says why', async () => {
    const configuration = {
      settings: { ...defaultSettings(), run_dir: folder },
      plugins: [],
      provenance: {},
      warnings: [],
    };
    let isBroken = false;
    const load = (): LoadedConfiguration => {
      if (isBroken) throw new Error('nobody thought of this');
      return { configuration, problems: [], unknown: [], directory: folder };
    };
    let start: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      start = resolve;
    });
    const never = new Promise<never>(() => undefined);
    const host = {
      start: async () => start(),
      stop: async () => undefined,
      reload: () => ['reloaded'],
      synced: never,
      released: never,
    } as unknown as Host;
    const complaints: string[] = [];
    const ended = runAgent(load, {
      stock: { plugins: {}, lists: { standalone: [], neutron: [] } },
      createHost: () => host,
      complain: (sentence) => complaints.push(sentence),
    });
    await started;
    isBroken = true;
    process.emit('SIGHUP');
    isBroken = false;
    process.emit('SIGHUP');
    process.emit('SIGTERM');
    expect(await ended).toBe(0);
    expect(complaints).toEqual(['the configuration stays as it was: nobody thought of this', 'reloaded']);
  });
});
