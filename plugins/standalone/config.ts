import { z } from 'zod';

export const StandaloneConfig = z
  .strictObject({
    networks: z
      .union([z.string().min(1), z.record(z.string(), z.unknown())], {
        error: 'expected the path of a networks file, or the document itself',
      })
      .describe('The networks file, which is watched; or the document itself, inline.'),
  })
  .describe('A control plane in a YAML file: networks, ports and peers.');
export type StandaloneConfig = z.infer<typeof StandaloneConfig>;
