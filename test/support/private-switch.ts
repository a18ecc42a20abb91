export { type PrivateSwitch, startPrivateSwitch } from '../../core/switch/private/private-switch';
