import { type Flow, flow, IntegrationTable, load, output, port, type RegisterBit, resubmit } from '@patchbay/sdk';

export interface MirrorTables {
  readonly bridge: string;
  /** The plugin's own table. */
  readonly copy: number;
  /** Says that a frame has been copied, so that it is not when table 60 sees it again. */
  readonly copied: RegisterBit;
}

/** Takes a port's frames through the copy table once, and then on their way as if nothing had been. */
export function mirrorFlows(
  portName: string,
  capturePort: string,
  { bridge, copy, copied }: MirrorTables,
): readonly Flow[] {
  const match = { in_port: port(portName) };
  return [
    flow({
      bridge,
      table: IntegrationTable.transient,
      priority: 210,
      match: { ...match, ...copied.isClear },
      actions: [resubmit(copy), load(copied.bit, 1), resubmit(IntegrationTable.transient)],
    }),
    flow({ bridge, table: copy, priority: 1, match, actions: [output(capturePort)] }),
  ];
}
