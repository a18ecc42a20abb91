/** An OVSDB server in memory, for tests of whatever uses the client. */

export { addBridge, addPort, deletePort } from './ovs-vsctl';
export { openVSwitchSchema } from './schema';
export { FakeOvsdbServer, type FakeOvsdbServerOptions } from './server';
export { FakeVswitchd, FULL_VSWITCHD, type VswitchdOptions } from './vswitchd';
