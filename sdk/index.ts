export * from './desired';
export * from './errors';
export * from './extension-services';
export * from './flow';
export * from './hooks';
export * from './messaging';
export * from './model';
export * from './pipeline';
export * from './plugin';
export * from './services';
export * from './switch-services';
export * from './tokens';

/** The version of this SDK, which a manifest's `sdk` range is held against. */
export const SDK_VERSION = '1.0.0';
