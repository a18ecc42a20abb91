import 'reflect-metadata';

export type { Backend, PacketSentUp, PluggedPort } from './backend';
export { type ContractOptions, describePluginContract, type Fact } from './contract';
export { FakeControlPlane, FakeObjects, FakeResources, FakeRpc, type RecordedCall, Unreliable } from './control-plane';
export type { Fire, Fired } from './firing';
export { Kit, type KitOptions } from './kit';
export { type LoggedLine, RecordedLog } from './log';
export { matchers } from './matchers';
export { MemoryBackend } from './memory-backend';
export { type Misbehaviour, misbehavingPlugin } from './neighbours';
export type { PacketOut } from './packets-out';
export { FakePorts } from './ports';
export * from './samples';
