/** The reference agent's files, as the one configuration model. */
export * from './errors';
export * from './options';
export * from './options-page';
export * from './plugin-list';
export * from './redact';
export { defaultSettings } from './settings';
export * from './show';
export * from './translate';
