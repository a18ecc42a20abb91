export { PortMirror as default } from './plugin';
