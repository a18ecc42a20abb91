import { rabbitOptions as known, type RabbitOption } from '../../rpc/rabbit-options';
import { honoured, type IniOption, meaningless, refused, text } from './model';

/** Older names in the same section, and Zed's place for some of them. */
const older: Readonly<Record<string, IniOption['deprecated']>> = {
  ssl: [{ name: 'rabbit_use_ssl' }],
  ssl_version: [{ name: 'kombu_ssl_version' }],
  ssl_key_file: [{ name: 'kombu_ssl_keyfile' }],
  ssl_cert_file: [{ name: 'kombu_ssl_certfile' }],
  ssl_ca_file: [{ name: 'kombu_ssl_ca_certs' }],
  kombu_missing_consumer_retry_timeout: [{ name: 'kombu_reconnect_timeout' }],
  amqp_auto_delete: [{ section: 'DEFAULT' }],
  kombu_reconnect_delay: [{ section: 'DEFAULT' }],
  rabbit_ha_queues: [{ section: 'DEFAULT' }],
  rabbit_login_method: [{ section: 'DEFAULT' }],
  rabbit_retry_backoff: [{ section: 'DEFAULT' }],
  rpc_conn_pool_size: [{ section: 'DEFAULT' }],
  conn_pool_min_size: [{ section: 'DEFAULT' }],
  conn_pool_ttl: [{ section: 'DEFAULT' }],
};

/** [oslo_messaging_rabbit]: the message layer says what it makes of each; values go to it as they are written. */
export const rabbitOptions: readonly IniOption[] = known.map((option) => {
  const deprecated = older[option.name];
  const byDefault = option.schema.safeParse(undefined);
  return {
    section: 'oslo_messaging_rabbit',
    name: option.name,
    type: text,
    default: byDefault.success ? String(byDefault.data) : null,
    verdict: verdict(option),
    mistake: (written) =>
      option.schema
        .safeParse(written)
        .error?.issues.map((issue) => issue.message)
        .join('; '),
    ...(deprecated === undefined ? {} : { deprecated }),
  };
});

function verdict(option: RabbitOption): IniOption['verdict'] {
  switch (option.verdict) {
    case 'honoured':
      return honoured(`neutron.rabbit.${option.name}`, option.reason);
    case 'meaningless':
      return meaningless(option.reason);
    case 'refused':
      return refused(option.reason, 'leave it at its default');
  }
}
