import { agentFaults } from './agent-faults';
import { brokerFaults } from './broker-faults';
import { driftFaults } from './drift-faults';
import type { Fault } from './fault';
import { messageFaults } from './message-faults';
import { pluginFaults } from './plugin-faults';
import { portFaults } from './port-faults';
import { resourceFaults } from './resource-faults';
import { serverFaults } from './server-faults';
import { switchFaults } from './switch-faults';
import { takeOverFaults } from './take-over-faults';

/** All of them, in the order of the table. The first is the control without any. */
export const FAULTS: readonly Fault[] = [
  ...agentFaults,
  ...switchFaults,
  ...driftFaults,
  ...portFaults,
  ...pluginFaults,
  ...resourceFaults,
  ...brokerFaults,
  ...serverFaults,
  ...messageFaults,
  ...takeOverFaults,
];
