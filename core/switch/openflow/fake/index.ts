export { FakeOpenFlowClient, FakeOpenFlowSwitch, type Refusal } from './fake-switch';
