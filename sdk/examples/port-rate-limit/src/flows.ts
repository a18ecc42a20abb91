import { type DesiredRecords, flow, IntegrationTable, meter, port, resubmit, type Vif } from '@patchbay/sdk';

export interface Limit {
  readonly packetsPerSecond: number;
  readonly burst: number;
}

/** A meter for the port, and the flow that takes its frames through it and on to the next table of the pipeline. */
export function limited(vif: Vif, number: number, { packetsPerSecond, burst }: Limit): DesiredRecords {
  const { bridge, portName } = vif;
  return {
    meters: [{ bridge, meter: number, unit: 'pktps', bands: [{ kind: 'drop', rate: packetsPerSecond, burst }] }],
    flows: [
      flow({
        bridge,
        table: IntegrationTable.packetRateLimit,
        priority: 200,
        match: { in_port: port(portName) },
        actions: [meter(number), resubmit(IntegrationTable.bandwidthRateLimit)],
      }),
    ],
  };
}
