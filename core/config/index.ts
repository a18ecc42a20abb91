/** The reference agent's files, as the one configuration model. */
export * from './errors';
export * from './options';
export * from './options-page';
export * from './redact';
export * from './show';
export * from './translate';
