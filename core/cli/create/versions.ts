/** What a new project is developed with: the versions that this one is. A test holds them against the root package.json. */
export const DEVELOPED_WITH: Readonly<Record<string, string>> = {
  '@biomejs/biome': '2.5.0',
  '@swc/core': '1.16.0',
  '@swc/jest': '0.2.39',
  '@types/jest': '30.0.0',
  '@types/node': '20.19.43',
  jest: '30.5.2',
  typescript: '5.9.3',
};

/** What the SDK shares with the agent and every plugin: one copy of each, at the agent's version. */
export const SHARED: Readonly<Record<string, string>> = {
  'reflect-metadata': '0.2.2',
  tsyringe: '4.10.0',
  zod: '4.6.7',
};

/** Packages of Patchbay, at the versions of this release. */
export const PATCHBAY: Readonly<Record<string, string>> = {
  '@patchbay/agent': '0.1.0',
  '@patchbay/plugins': '0.1.0',
  '@patchbay/sdk': '1.0.0',
  '@patchbay/testing': '0.1.0',
};
