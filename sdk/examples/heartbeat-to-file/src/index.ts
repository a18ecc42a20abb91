export { HeartbeatToFile as default } from './plugin';
