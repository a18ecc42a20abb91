import { z } from 'zod';

export const PortBindingConfig = z
  .strictObject({})
  .describe(
    'Wires VIFs as the control plane describes them. Ancillary bridges are found by themselves; nothing to set.',
  );
export type PortBindingConfig = z.infer<typeof PortBindingConfig>;
