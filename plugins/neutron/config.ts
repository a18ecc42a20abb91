import { z } from 'zod';

export const NeutronConfig = z
  .strictObject({
    transport_url: z
      .string()
      .regex(/^rabbit:\/\//, 'expected rabbit://user:password@host:5672/vhost; other transports are not spoken')
      .default('rabbit://')
      .describe('The message brokers: rabbit://user:password@host:port,user:password@host:port/vhost?option=value.'),
    control_exchange: z.string().min(1).default('neutron').describe("The exchange of the server's topics."),
    rpc_response_timeout: z.number().min(1).default(60).describe('Seconds to wait for an answer, at first.'),
    rpc_response_max_timeout: z
      .number()
      .min(1)
      .default(600)
      .describe('The longest that the wait grows to after timeouts, in seconds.'),
    rpc_resources_processing_step: z.int().min(1).default(20).describe('How many objects one bulk request asks for.'),
    rpc_ping_enabled: z.boolean().default(false).describe("Answer oslo.messaging's ping."),
    rabbit: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('[oslo_messaging_rabbit] options by name, checked when connecting.'),
    resource_versions: z
      .record(z.string(), z.string().regex(/^\d+\.\d+$/, 'a version is two numbers, as 1.4'))
      .default({})
      .describe(
        'Overrides the versions of the objects that are asked for, also those that plugins follow: type to version.',
      ),
  })
  .describe("neutron-server's control plane over RabbitMQ.");
export type NeutronConfig = z.infer<typeof NeutronConfig>;
