export { PortRateLimit as default } from './plugin';
