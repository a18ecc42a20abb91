export { BondedBridgeMappings as default } from './plugin';
