/** A reader of oslo.config's files, by itself: it knows nothing of Patchbay. */
export * from './errors';
export * from './parse';
export * from './reader';
export * from './sources';
export * from './substitute';
export * from './types';
