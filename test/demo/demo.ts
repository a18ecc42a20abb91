/** The demo's script, run inside a bed whose Open vSwitch is up (test/demo/run). Scenes run in order; the first that fails ends the demo. */
import { execFileSync } from 'node:child_process';

interface Scene {
  /** Said before the scene is played. */
  readonly title: string;
  play(): Promise<void>;
}

const vsctl = (...words: readonly string[]): string =>
  execFileSync('ovs-vsctl', ['--timeout=10', ...words], { encoding: 'utf8' });

const switchIsUp: Scene = {
  title: 'An Open vSwitch of its own, on a userspace datapath',
  async play() {
    console.log(vsctl('--columns=ovs_version,datapath_types,external_ids', 'list', 'Open_vSwitch'));
  },
};

const scenes: readonly Scene[] = [switchIsUp];

async function main(): Promise<void> {
  for (const [index, scene] of scenes.entries()) {
    console.log(`\n${index + 1}. ${scene.title}\n`);
    await scene.play();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
