/** Kinds of test: what a module promises, what a real part and its fake share, properties, the whole on real parts, and what a newcomer types. */
const shared = {
  rootDir: __dirname,
  testEnvironment: 'node',
  setupFiles: ['reflect-metadata'],
  transform: {
    '^.+\\.ts$': [
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
  moduleNameMapper: {
    '^@patchbay/sdk$': '<rootDir>/sdk/index.ts',
    '^@patchbay/sdk/flow$': '<rootDir>/sdk/flow/index.ts',
    '^@patchbay/plugins$': '<rootDir>/plugins/index.ts',
    '^@patchbay/agent$': '<rootDir>/core/index.ts',
    '^@patchbay/agent/testing$': '<rootDir>/core/testing.ts',
    '^@patchbay/testing$': '<rootDir>/sdk/testing/index.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/'],
};

const project = (displayName, extra = {}) => ({
  ...shared,
  displayName,
  testMatch: [`<rootDir>/test/${displayName}/**/*.test.ts`],
  ...extra,
});

module.exports = {
  projects: [project('unit'), project('contract'), project('property'), project('system'), project('guide')],
};
