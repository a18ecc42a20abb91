import type { ProjectNames } from './naming';
import { DEVELOPED_WITH, SHARED } from './versions';

/** JSON as the linter formats it: lists of words on one line. */
const json = (content: unknown): string =>
  `${JSON.stringify(content, null, 2).replace(/\[\n\s+("[^\]{}]*?)\n\s+\]/g, (_all, words: string) => `[${words.replace(/\s*\n\s*/g, ' ')}]`)}\n`;

const packageJson = (content: unknown): string => `${JSON.stringify(content, null, 2)}\n`;

/** Configuration files: package, compiler, tests, lint, CI, and a list to run it with. */
export function settingFiles(
  { packageName, id }: ProjectNames,
  patchbay: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return {
    'package.json': packageJson({
      name: packageName,
      version: '0.1.0',
      description: 'A plugin for Patchbay: drops what ports send to certain UDP ports',
      license: 'UNLICENSED',
      private: true,
      engines: { node: '>=20.19' },
      main: 'dist/index.js',
      types: 'dist/index.d.ts',
      files: ['dist'],
      scripts: {
        build: 'tsc -p .',
        test: 'jest',
        lint: 'biome check --error-on-warnings .',
        check: 'npm run lint && tsc -p . --noEmit && tsc -p test && npm test',
        prepack: 'npm run build',
      },
      peerDependencies: {
        '@patchbay/sdk': '^1.0.0',
        ...Object.fromEntries(Object.entries(SHARED).map(([name, version]) => [name, `^${version}`])),
      },
      devDependencies: sorted({ ...DEVELOPED_WITH, ...SHARED, ...patchbay }),
    }),
    'tsconfig.json': json({
      compilerOptions: {
        target: 'es2023',
        lib: ['es2023'],
        module: 'nodenext',
        moduleResolution: 'nodenext',
        types: ['node'],
        rootDir: 'src',
        outDir: 'dist',
        declaration: true,
        strict: true,
        noUncheckedIndexedAccess: true,
        exactOptionalPropertyTypes: true,
        isolatedModules: true,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        skipLibCheck: true,
      },
      include: ['src'],
    }),
    'test/tsconfig.json': json({
      extends: '../tsconfig.json',
      compilerOptions: { rootDir: '..', noEmit: true, types: ['node', 'jest'] },
      include: ['.'],
    }),
    'jest.config.js': `module.exports = {
  testEnvironment: 'node',
  // A real switch and a thread of its own take a while to start where there is more to do.
  testTimeout: 60_000,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '^.+\\\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'commonjs' },
      },
    ],
  },
};
`,
    'biome.json': json({
      files: { includes: ['**', '!**/dist', '!**/node_modules'] },
      formatter: { indentStyle: 'space', indentWidth: 2, lineWidth: 120 },
      javascript: { formatter: { quoteStyle: 'single' }, parser: { unsafeParameterDecoratorsEnabled: true } },
    }),
    '.gitignore': 'dist/\nnode_modules/\n/*.tgz\n',
    '.github/workflows/check.yml': `name: check
on: [push, pull_request]
jobs:
  check:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with: { node-version: 20 }
      - run: npm ci
      - run: npm run check
      - run: sudo apt-get update && sudo apt-get install -y openvswitch-switch
      - run: PATCHBAY_TEST_SWITCH=ovs npm test
`,
    'patchbay.yaml': `# The standalone control plane, its stock plugins, and this one.
agent:
  datapath_type: netdev # no kernel module needed
  state_dir: /run/patchbay-state # for trying out: an agent that stays keeps its state under /var/lib
control_plane: standalone
plugins:
  - standalone:
      networks:
        networks: { blue: { type: local } }
        ports:
          port-1: { network: blue, mac: 'fa:16:3e:00:00:01', addresses: [10.0.0.1] }
  - remove: tunnels
  - name: ./dist/index.js # ${id}
    options: { udp_ports: [19] }
`,
  };
}

function sorted(names: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(names).sort(([left], [right]) => (left < right ? -1 : 1)));
}
