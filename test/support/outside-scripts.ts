import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Outside, run } from './outside';

/** Runs pieces of a program outside the repository, on Patchbay's packages alone: workers load what is built. */
export class OutsideScripts {
  private readonly outside = Outside.pack();
  private readonly folder = join(this.outside.folder, 'project');
  private serial = 0;

  /** `modules` by their names, and what stands above every piece. */
  constructor(
    modules: Readonly<Record<string, string>>,
    private readonly prelude: string,
  ) {
    mkdirSync(this.folder);
    this.outside.install(this.folder);
    for (const [name, text] of Object.entries(modules)) writeFileSync(join(this.folder, name), text);
  }

  /** What the piece returned. @throws with all that it printed where it failed. */
  async outcome(body: string): Promise<unknown> {
    this.serial += 1;
    const file = join(this.folder, `test-${this.serial}.js`);
    const main = `${this.prelude}\n(async () => { ${body} })().then((value) => { console.log(JSON.stringify(value)); process.exit(0); }, (error) => { console.error(error); process.exit(1); });`;
    writeFileSync(file, main);
    const { status, output } = await run(process.execPath, [file], { cwd: this.folder });
    if (status !== 0) throw new Error(output);
    return JSON.parse(output.trim().split('\n').at(-1) ?? '');
  }

  remove(): void {
    this.outside.remove();
  }
}
