import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMessaging, type Messaging, type MessagingOptions } from '../../core/rpc';
import { run, until } from './bed-command';
import { Running } from './bed-process';

/** Files of a certificate authority of the test's own, and of what it signed. */
export class Authority {
  readonly certificate: string;

  private constructor(private readonly folder: string) {
    this.certificate = join(folder, 'ca.pem');
  }

  static async make(folder: string): Promise<Authority> {
    mkdirSync(folder);
    const authority = new Authority(folder);
    await run([
      'bash',
      '-c',
      `cd ${folder} && openssl req -x509 ${NEW_KEY} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem`,
    ]);
    return authority;
  }

  /** A key and a certificate in that name; for a server, of the host that it names. */
  async sign(name: string): Promise<{ readonly key: string; readonly certificate: string }> {
    const [key, certificate] = [join(this.folder, `${name}.key`), join(this.folder, `${name}.pem`)];
    const request = `openssl req ${NEW_KEY} -subj /CN=${name} -addext subjectAltName=DNS:${name} -keyout ${key}`;
    const sign = `openssl x509 -req -days 2 -CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copy -out ${certificate}`;
    await run(['bash', '-c', `cd ${this.folder} && ${request} | ${sign} && chmod 644 ${key}`]);
    return { key, certificate };
  }
}

const NEW_KEY = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';

/** A RabbitMQ node beside the bed's own one, with ports and a data folder of its own; it ends with the bed. */
export class OwnBroker {
  private constructor(
    readonly port: number,
    readonly tlsPort: number,
    private readonly node: string,
    private readonly server: Running,
  ) {}

  /** `number` from 1 tells brokers apart. Takes connections as a certificate says who they are, too. */
  static async start(number: number, authority: Authority): Promise<OwnBroker> {
    const [node, port, tlsPort] = [`own${number}@localhost`, 6000 + number, 6100 + number];
    const folder = mkdtempSync('/run/broker-');
    const { key, certificate } = await authority.sign('localhost');
    const lines = [
      `listeners.tcp.1 = 127.0.0.1:${port}`,
      `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
      `ssl_options.cacertfile = ${authority.certificate}`,
      `ssl_options.certfile = ${certificate}`,
      `ssl_options.keyfile = ${key}`,
      'ssl_options.verify = verify_peer',
      'ssl_options.fail_if_no_peer_cert = false',
      'ssl_cert_login_from = common_name',
      'auth_mechanisms.1 = AMQPLAIN',
      'auth_mechanisms.2 = EXTERNAL',
    ];
    writeFileSync(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
    writeFileSync(join(folder, 'plugins'), '[rabbitmq_auth_mechanism_ssl].\n');
    await run(['chown', '-R', 'rabbitmq:', folder]);
    const settings = {
      RABBITMQ_NODENAME: node,
      RABBITMQ_DIST_PORT: String(26_000 + number),
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
      RABBITMQ_MNESIA_BASE: join(folder, 'data'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_PID_FILE: join(folder, 'pid'),
    };
    const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    const server = Running.start(['env', ...words, 'rabbitmq-server'], 'rabbitmq', join(folder, 'server.log'));
    const broker = new OwnBroker(port, tlsPort, node, server);
    await until(() => broker.control('await_startup', '--timeout', '60').then(() => true), {
      timeoutMs: 120_000,
      what: `${node} is up`,
    });
    return broker;
  }

  control(...words: readonly string[]): Promise<string> {
    return run(['rabbitmqctl', '--quiet', '-n', this.node, ...words]);
  }

  /** Makes one cluster of both, as the brokers of one transport_url are. */
  async join(other: OwnBroker): Promise<void> {
    for (const words of [['stop_app'], ['reset'], ['join_cluster', other.node], ['start_app']])
      await this.control(...words);
  }

  /** A user with all rights in a virtual host, which is made if need be. */
  async addUser(user: string, password: string, virtualHost = '/'): Promise<void> {
    if (virtualHost !== '/') await this.control('add_vhost', virtualHost);
    await this.control('add_user', user, password);
    await this.control('set_permissions', '-p', virtualHost, user, '.*', '.*', '.*');
  }

  /** Rows of what rabbitmqctl lists: `rows('list_queues', '-p', 'cloud', 'name')`. */
  async rows(...words: readonly string[]): Promise<readonly (readonly string[])[]> {
    const text = await this.control('--no-table-headers', ...words);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  }

  async stop(): Promise<void> {
    if (!this.server.isRunning) return;
    await this.control('stop').catch(() => undefined);
    await this.server.stop('SIGTERM', 10_000);
  }
}

/** Messaging whose connections and queues stand. */
export async function connected(options: MessagingOptions): Promise<Messaging> {
  const rabbit = {
    rabbit_retry_interval: 0.2,
    rabbit_retry_backoff: 0,
    kombu_reconnect_delay: 0.05,
    ...options.rabbit,
  };
  const messaging = createMessaging({ responseTimeoutMs: 20_000, ...options, rabbit });
  await new Promise<void>((resolve, reject) => {
    messaging.once('connected', resolve);
    messaging.once('unreachable', ({ broker, reason }) => {
      void messaging.close();
      reject(new Error(`${broker}: ${reason}`));
    });
  });
  return messaging;
}
