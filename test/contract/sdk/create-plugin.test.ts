import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProject } from '../../../core/cli/create/project';
import { DEVELOPED_WITH, PATCHBAY, SHARED } from '../../../core/cli/create/versions';
import { Outside, run } from '../../support/outside';

jest.setTimeout(600_000);

const ROOT = join(__dirname, '../../..');
let outside: Outside;
let project: string;

beforeAll(() => {
  outside = Outside.pack();
  ({ folder: project } = createProject({
    name: '@acme/port-guard',
    parent: outside.folder,
    packages: outside.packages,
    stock: [],
  }));
  outside.install(project);
});

afterAll(() => outside.remove());

const script = (name: string, env: Readonly<Record<string, string>> = {}) =>
  run('npm', ['run', '--silent', name], { cwd: project, env: { ...process.env, ...env } });

describe('patchbay create plugin', () => {
  it('makes a project whose tests pass at once', async () => {
    const { status, output } = await script('test');
    expect(output).toMatch(/Tests: +11 passed/);
    expect(status).toBe(0);
  });

  it('makes tests that pass on a real Open vSwitch too', async () => {
    const { output } = await script('test', { PATCHBAY_TEST_SWITCH: 'ovs' });
    expect(output).toMatch(/Tests: +11 passed/);
  });

  it('makes code that its own lint and compiler have nothing to say to', async () => {
    expect(await script('lint')).toEqual({ status: 0, output: expect.stringContaining('No fixes applied') });
    const compiler = join(project, 'node_modules/typescript/bin/tsc');
    for (const folder of ['.', 'test']) {
      expect(await run(process.execPath, [compiler, '-p', folder, '--noEmit'], { cwd: project })).toEqual({
        status: 0,
        output: '',
      });
    }
  });

  it('makes a package that the agent takes from its plugin list', async () => {
    expect((await script('build')).status).toBe(0);
    const words = ['check', '--config', join(project, 'patchbay.yaml')];
    const { status, output } = await run(join(project, 'node_modules/@patchbay/agent/bin/patchbay'), [
      'config',
      ...words,
    ]);
    expect({ status, output }).toEqual({ status: 0, output: expect.any(String) });
  });

  it('makes a package whose mistakes `config check` names: an option, a manifest, an SDK that does not fit, a build that is missing', async () => {
    const list = readFileSync(join(project, 'patchbay.yaml'), 'utf8');
    const built = readFileSync(join(project, 'dist/plugin.js'), 'utf8');
    const check = async (file: string, text: string, yaml: string) => {
      writeFileSync(join(project, 'dist', file), text);
      writeFileSync(join(project, 'mistaken.yaml'), yaml.replace('index.js', file));
      const words = ['config', 'check', '--config', join(project, 'mistaken.yaml')];
      const { status, output } = await run(join(project, 'node_modules/@patchbay/agent/bin/patchbay'), words);
      return { status, refused: /^refused: (PB-[\w-]+)/m.exec(output)?.[1] };
    };
    expect(await check('a.js', built, list.replace('udp_ports', 'udp_prots'))).toEqual({
      status: 78,
      refused: 'PB-OPTION-UNKNOWN',
    });
    expect((await check('b.js', built.replace('onFailure:', 'onFailur:'), list)).refused).toBe('PB-MANIFEST-INVALID');
    expect((await check('c.js', built.replace('^1.0.0', '^2.0.0'), list)).refused).toBe('PB-SDK-MISMATCH');
    expect((await check('d.js', built, list.replace('dist/index.js', 'dits/index.js'))).refused).toBe(
      'PB-PLUGIN-NOT-FOUND',
    );
  });

  it('asks for the versions that this release is developed with', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(devDependencies).toMatchObject(DEVELOPED_WITH);
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'core/package.json'), 'utf8'));
    expect(dependencies).toMatchObject(SHARED);
    const folders: Readonly<Record<string, string>> = {
      '@patchbay/agent': 'core',
      '@patchbay/plugins': 'plugins',
      '@patchbay/sdk': 'sdk',
      '@patchbay/testing': 'sdk/testing',
    };
    for (const [name, folder] of Object.entries(folders)) {
      expect(JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')).version).toBe(PATCHBAY[name]);
    }
  });

  it('refuses a folder that holds something, and a name that is no plugin’s', () => {
    const again = { parent: outside.folder, packages: outside.packages, stock: ['tunnels'] };
    expect(() => createProject({ ...again, name: '@acme/port-guard' })).toThrow(/PB-CLI-8/);
    expect(() => createProject({ ...again, name: 'tunnels' })).toThrow(/PB-CLI-7: .* a stock plugin is called tunnels/);
    expect(() => createProject({ ...again, name: 'Bad_Name' })).toThrow(/PB-CLI-7/);
  });

  it('takes copies of the tarballs along, so that whoever has the project needs nothing else of ours', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
      readonly devDependencies: Readonly<Record<string, string>>;
    };
    const ours = Object.entries(devDependencies).filter(([name]) => name in PATCHBAY);
    expect(ours).toHaveLength(4);
    for (const [, reference] of ours) {
      expect(reference).toMatch(/^file:patchbay\/patchbay-[a-z]+-[\d.]+\.tgz$/);
      expect(existsSync(join(project, reference.replace('file:', '')))).toBe(true);
    }
    expect(readFileSync(join(project, '.gitignore'), 'utf8').split('\n')).not.toContain('*.tgz');
  });

  it('names a tarball that is not there', () => {
    const empty = join(outside.folder, 'empty');
    mkdirSync(empty);
    const request = { name: 'acme-other', parent: outside.folder, packages: empty, stock: [] };
    expect(() => createProject(request)).toThrow(/PB-CLI-9/);
    expect(readdirSync(outside.folder)).not.toContain('acme-other');
  });
});
