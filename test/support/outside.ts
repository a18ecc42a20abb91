import { type ExecFileOptions, execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

/** What a command printed, and its status. */
export interface Ran {
  readonly status: number;
  readonly output: string;
}

/** A folder outside the repository, with Patchbay's packages as npm packs them: nothing in it reaches into the repository's sources. */
export class Outside {
  readonly folder = mkdtempSync(join(tmpdir(), 'patchbay-outside-'));
  /** The tarballs. */
  readonly packages = join(this.folder, 'packages');

  private constructor() {
    mkdirSync(this.packages);
  }

  /** Packs what is built. */
  static pack(): Outside {
    const outside = new Outside();
    const words = ['pack', '--workspaces', '--ignore-scripts', '--pack-destination', outside.packages];
    execFileSync('npm', words, { cwd: ROOT, stdio: 'ignore' });
    return outside;
  }

  /**
   * Fills node_modules as `npm install` would, without a registry: Patchbay from the tarballs, everything else from what the repository has at
   * the same versions. `own` are further packages, by name, to be linked.
   */
  install(project: string, own: Readonly<Record<string, string>> = {}): void {
    const modules = join(project, 'node_modules');
    mkdirSync(join(modules, '@patchbay'), { recursive: true });
    for (const name of readdirSync(join(ROOT, 'node_modules'))) {
      if (name !== '@patchbay') symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
    }
    for (const tarball of readdirSync(this.packages)) {
      const name = tarball.replace(/^patchbay-/, '').replace(/-\d.*$/, '');
      const target = join(modules, '@patchbay', name);
      mkdirSync(target);
      execFileSync('tar', ['-xzf', join(this.packages, tarball), '-C', target, '--strip-components=1']);
    }
    for (const [name, folder] of Object.entries(own)) symlinkSync(folder, join(modules, name));
  }

  /** A copy of one of sdk/examples, as a project of its own. */
  example(name: string): string {
    const project = join(this.folder, name);
    const skipped = /[\\/](node_modules|dist)([\\/]|$)/;
    cpSync(join(ROOT, 'sdk/examples', name), project, { recursive: true, filter: (path) => !skipped.test(path) });
    this.install(project);
    return project;
  }

  /** Builds a package and installs what npm packs of it, as an operator does who has its tarball. */
  add(project: string, folder: string): void {
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly name: string };
    execFileSync(process.execPath, [join(folder, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: folder });
    const words = ['pack', '--ignore-scripts', '--silent', '--pack-destination', this.folder];
    const tarball = execFileSync('npm', words, { cwd: folder, encoding: 'utf8' }).trim();
    const target = join(project, 'node_modules', name);
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', join(this.folder, tarball), '-C', target, '--strip-components=1']);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs a program to its end, however it ends. */
export function run(file: string, words: readonly string[], options: ExecFileOptions = {}): Promise<Ran> {
  return new Promise((resolve_) => {
    const all = { maxBuffer: 16 * 1024 * 1024, ...options };
    execFile(file, [...words], all, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve_({ status, output: `${stdout}${stderr}` });
    });
  });
}
