import { chmodSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Messaging, MessagingOptions } from '../../core/rpc';
import { until } from '../support/bed';
import { Authority, connected, OwnBroker } from '../support/own-broker';

jest.setTimeout(600_000);

const CLOUD = 'cloud';
let authority: Authority;
let stranger: Authority;
let first: OwnBroker;
let second: OwnBroker;
let opened: Messaging[] = [];

beforeAll(async () => {
  const folder = mkdtempSync('/run/certificates-');
  // The broker's user reads its own.
  chmodSync(folder, 0o755);
  authority = await Authority.make(join(folder, 'own'));
  stranger = await Authority.make(join(folder, 'other'));
  first = await OwnBroker.start(1, authority);
  second = await OwnBroker.start(2, authority);
  await second.join(first);
  await first.addUser('neutron', 'secret', CLOUD);
  await first.addUser('agent', 'never used');
  await first.control('set_permissions', '-p', CLOUD, 'agent', '.*', '.*', '.*');
});
afterEach(async () => {
  await Promise.all(opened.map((messaging) => messaging.close()));
  opened = [];
});
afterAll(async () => {
  await first?.stop();
  await second?.stop();
});

const plain = () => `rabbit://neutron:secret@localhost:${first.port}/${CLOUD}`;
const encrypted = (host = 'localhost') => `rabbit://neutron:secret@${host}:${first.tlsPort}/${CLOUD}`;
const open = async (options: MessagingOptions): Promise<Messaging> => {
  const messaging = await connected(options);
  opened.push(messaging);
  return messaging;
};
const tls = () => ({ ssl: true, ssl_ca_file: authority.certificate });
/** All that are connected; those of the test before may take a moment to be gone. */
const untilConnectedAs = (...wanted: readonly [user: string, virtualHost: string, ssl: string, mechanism: string]) =>
  until(async () => {
    const rows = await first.rows('list_connections', 'user', 'vhost', 'ssl', 'auth_mechanism');
    expect(new Set(rows.map((row) => row.join(' ')))).toEqual(new Set([wanted.join(' ')]));
    return true;
  });

let talks = 0;

/** A server that answers, and one who asks; both hear what is said to all. */
async function talk(options: MessagingOptions): Promise<{ readonly answer: unknown; readonly heard: number }> {
  const server = await open(options);
  const client = await open(options);
  const topic = `q${++talks}`;
  let heard = 0;
  const hear = {
    said: () => {
      heard += 1;
    },
  };
  await server.listen({ topic, shared: true, version: '1.0' }, { echo: (_, args) => args, ...hear }).ready;
  await client.listen({ topic: `${topic}-news`, version: '1.0' }, hear).ready;
  const answer = await client.call({ topic, version: '1.0' }, 'echo', { word: 'wort' });
  await server.fanout({ topic: `${topic}-news`, version: '1.0' }, 'said', {});
  await until(() => heard === 1, { what: 'the fanout is heard' });
  return { answer, heard };
}
const TALKED = { answer: { word: 'wort' }, heard: 1 };

describe('over TLS', () => {
  test('with the authority of the broker, in a virtual host', async () => {
    await expect(talk({ transportUrl: encrypted(), rabbit: tls() })).resolves.toEqual(TALKED);
    await untilConnectedAs('neutron', CLOUD, 'true', 'AMQPLAIN');
  });

  test('a broker whose certificate another authority signed is not spoken to', async () => {
    const rabbit = { ssl: true, ssl_ca_file: stranger.certificate };
    await expect(connected({ transportUrl: encrypted(), rabbit })).rejects.toThrow(
      /self-signed|unable to verify|issuer/,
    );
  });

  test('nor one whose certificate names another host, unless its name is not to be verified', async () => {
    const transportUrl = encrypted('127.0.0.1');
    await expect(connected({ transportUrl, rabbit: tls() })).rejects.toThrow(/does not match|not in the cert/);
    const lax = { ...tls(), ssl_enforce_hostname_verification: false };
    await expect(talk({ transportUrl, rabbit: lax })).resolves.toEqual(TALKED);
  });

  test('as whom the client certificate names, with EXTERNAL', async () => {
    const { key, certificate } = await authority.sign('agent');
    const login = { rabbit_login_method: 'EXTERNAL', ssl_key_file: key, ssl_cert_file: certificate };
    await expect(talk({ transportUrl: encrypted(), rabbit: { ...tls(), ...login } })).resolves.toEqual(TALKED);
    await untilConnectedAs('agent', CLOUD, 'true', 'EXTERNAL');
  });
});

describe('with queues as a server of later releases has them', () => {
  const queues = async () => {
    const rows = await first.rows('list_queues', '-p', CLOUD, 'name', 'type', 'durable');
    return new Map(rows.map(([name = '', type = '', durable = '']) => [name, `${type}, durable ${durable}`]));
  };

  test('quorum queues', async () => {
    await expect(talk({ transportUrl: plain(), rabbit: { rabbit_quorum_queue: true } })).resolves.toEqual(TALKED);
    expect((await queues()).get(`q${talks}`)).toMatch(/quorum.*, durable true/);
  });

  test('transient quorum queues', async () => {
    const rabbit = { rabbit_quorum_queue: true, rabbit_transient_quorum_queue: true };
    const before = await queues();
    await expect(talk({ transportUrl: plain(), rabbit })).resolves.toEqual(TALKED);
    const kinds = [...(await queues())].filter(([name]) => !before.has(name)).map(([, kind]) => kind);
    expect(kinds.length).toBeGreaterThan(2);
    for (const kind of kinds) expect(kind).toMatch(/quorum.*, durable true/);
  });

  test('stream fanout', async () => {
    const rabbit = { rabbit_quorum_queue: true, rabbit_transient_quorum_queue: true, rabbit_stream_fanout: true };
    await expect(talk({ transportUrl: plain(), rabbit })).resolves.toEqual(TALKED);
  });
});

test('when a broker stops, both sides go on by the other one of the transport_url', async () => {
  const both = `rabbit://neutron:secret@localhost:${first.port},neutron:secret@localhost:${second.port}/${CLOUD}`;
  const server = await open({ transportUrl: both });
  const client = await open({ transportUrl: both });
  await server.listen({ topic: 'q-fail-over', shared: true, version: '1.0' }, { echo: (_, args) => args }).ready;
  const call = () => client.call({ topic: 'q-fail-over', version: '1.0' }, 'echo', { word: 'wort' });
  await expect(call()).resolves.toEqual({ word: 'wort' });

  await first.stop();

  // Which of the two each connection had is chance: it may have to be made anew, and the queue with it.
  await until(() => call().then(() => true), { timeoutMs: 180_000, what: 'a call is answered again' });
  await until(async () => (await second.rows('list_connections', 'user')).length === 4, {
    what: 'all connections are at the second broker',
  });
});
