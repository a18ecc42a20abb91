import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import type { PlanReport } from '../../core/host/reports';
import { Bed, type NeutronPort, type PingStream, type Resource, type Running, until } from '../support/bed';
import { patchbay, report } from '../support/bed-agent';
import { run } from '../support/bed-command';
import type { Guest } from '../support/bed-guest';
import { addressOf, createAndPlug, createNetworkOf, NO_FIREWALL, plug, wiringOf } from '../support/bed-ports';

jest.setTimeout(600_000);

const TUNNELS = 'q-agent-notifier-tunnel-update';

describe('bad input', () => {
  let bed: Bed;
  let agent: Running;
  let broker: ChannelModel;
  let channel: ConfirmChannel;
  let network: Resource;
  let undisturbed: { readonly port: NeutronPort; readonly guest: Guest };
  let pinging: PingStream;

  beforeAll(async () => {
    bed = await Bed.start({ server: true });
    agent = bed.host(1).startPatchbay({ ini: NO_FIREWALL });
    await bed.rest.untilAgentIsAlive('host1');
    network = await createNetworkOf(bed, 'vlan', 601, '10.0.0.0/24');
    const [a, b] = [await createAndPlug(bed, network.id), await createAndPlug(bed, network.id)];
    undisturbed = a;
    await bed.rest.untilPortsAre('ACTIVE', [a.port.id, b.port.id]);
    pinging = await a.guest.pingOn(addressOf(b.port));
    broker = await connect(bed.amqpUrl);
    channel = await broker.createConfirmChannel();
  });
  afterAll(async () => {
    await broker?.close();
    await bed?.stop();
  });

  /**
   * Warnings and errors that the agent logged of what happened, of which there is to be at least that many: until it complains of a message
   * that was sent after all that. What it says of a machine that left it without a processor is not of it.
   */
  async function complaintsDuring(act: () => Promise<unknown>, atLeast = 1): Promise<readonly string[]> {
    const before = agent.log().length;
    const complaints = () =>
      agent
        .log()
        .slice(before)
        .split('\n')
        .filter((line) => / (WARNING|ERROR|CRITICAL) /.test(line) && !/ kernel The event loop was blocked /.test(line))
        .map((line) => line.replace(/^\S+ \S+ \d+ /, ''));
    await act();
    await until(() => complaints().length >= atLeast, { what: 'the agent complains' });
    const last = `no_method_${crypto.randomUUID().replaceAll('-', '')}`;
    await publish(`${TUNNELS}_fanout`, '', envelope({ method: last }));
    await until(() => complaints().some((line) => line.includes(last)), { what: 'the agent has heard the last of it' });
    return complaints().filter((line) => !line.includes(last));
  }

  const publish = async (exchange: string, key: string, content: Buffer): Promise<void> => {
    channel.publish(exchange, key, content, { contentType: 'application/json', contentEncoding: 'utf-8' });
    await channel.waitForConfirms();
  };
  const envelope = (message: Readonly<Record<string, unknown>>): Buffer => {
    const inner = { _unique_id: crypto.randomUUID().replaceAll('-', ''), args: {}, version: '1.0', ...message };
    return Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(inner) }));
  };

  describe('from the broker is logged once, with the field at fault:', () => {
    test.each([
      ['a body that is no JSON', Buffer.from('{"oslo.version": "2.0", '), 'body'],
      [
        'an envelope of another major version',
        Buffer.from('{"oslo.version":"3.0","oslo.message":"{}"}'),
        'oslo.version',
      ],
      ['a message without a method', envelope({ args: {} }), 'method'],
      ['an unknown method', envelope({ method: 'tunnel_bogus' }), 'method'],
      ['a version that is not spoken', envelope({ method: 'tunnel_update', version: '2.0' }), 'version'],
    ])('%s', async (_what, content, field) => {
      const complaints = await complaintsDuring(() => publish(`${TUNNELS}_fanout`, '', content));
      expect(complaints).toEqual([
        expect.stringContaining('WARNING neutron a message from the broker could not be used'),
      ]);
      expect(complaints[0]).toContain(`field=${field}`);
    });

    test('an endpoint without its address', async () => {
      const message = envelope({ method: 'tunnel_update', args: { tunnel_type: 'vxlan' } });
      const complaints = await complaintsDuring(() => publish(`${TUNNELS}_fanout`, '', message));
      expect(complaints).toEqual([expect.stringContaining('tunnel_ip')]);
    });

    test('a message for another host', async () => {
      const queue = await notificationQueue();
      const key = `${TUNNELS}.host9`;
      await channel.bindQueue(queue, 'neutron', key);
      const complaints = await complaintsDuring(() => publish('neutron', key, envelope({ method: 'tunnel_update' })));
      await channel.unbindQueue(queue, 'neutron', key);
      expect(complaints).toEqual([expect.stringContaining('host9')]);
    });

    test('a push of a port without its fields, and the port stays as it is', async () => {
      const primitive = {
        'versioned_object.name': 'Port',
        'versioned_object.namespace': 'versionedobjects',
        'versioned_object.version': '1.7',
        'versioned_object.data': { id: undisturbed.port.id },
        'versioned_object.changes': [],
      };
      const message = envelope({
        method: 'push',
        version: '1.1',
        args: { resource_list: [primitive], event_type: 'updated' },
      });
      const before = await wiringOf(bed, undisturbed.guest);
      const complaints = await complaintsDuring(() => publish('neutron-vo-Port-1.7_fanout', '', message));
      expect(complaints).toHaveLength(1);
      expect(complaints[0]).toMatch(/WARNING .*Port/);
      expect(await wiringOf(bed, undisturbed.guest)).toEqual(before);
    });

    test('an answer about a port without its fields; it is asked again, and the port turns ACTIVE', async () => {
      const port = await bed.rest.createPort(network.id, 'host1');
      const { answered } = await answerPullOf(port.id, [
        {
          'versioned_object.name': 'Port',
          'versioned_object.namespace': 'versionedobjects',
          'versioned_object.version': '1.7',
          'versioned_object.data': { id: port.id },
        },
      ]);
      let guest: Guest | undefined;
      const complaints = await complaintsDuring(async () => {
        guest = await plug(bed, port);
        await answered;
        await bed.rest.untilPortsAre('ACTIVE', [port.id]);
      });
      expect(complaints).toEqual([expect.stringContaining(port.id)]);
      await guest?.unplug();
      await untilForgotten(port.id);
    });
  });

  test('an interface that the switch cannot make is named once, and its port is not ACTIVE', async () => {
    const port = await bed.rest.createPort(network.id, 'host1');
    const name = `tap${port.id.slice(0, 11)}`;
    const marks = [`external_ids:iface-id=${port.id}`, `external_ids:attached-mac="${port.mac_address}"`];
    const complaints = await complaintsDuring(async () => {
      await bed
        .host(1)
        .exec(
          `ovs-vsctl --timeout=10 add-port br-int ${name} -- set Interface ${name} type=dpdkvhostuser ${marks.join(' ')} || true`,
        );
      await agent.untilLogged(new RegExp(`holds a port back .*${name}`));
    });
    expect(await bed.host(1).vsctl('get', 'Interface', name, 'ofport')).toBe('-1\n');
    expect(complaints).toEqual([expect.stringContaining(name)]);
    await expect(bed.rest.port(port.id)).resolves.toMatchObject({ status: 'DOWN' });
    await bed.host(1).vsctl('del-port', name);
    await untilForgotten(port.id);
  });

  test('ports that are plugged and gone at once leave nothing behind', async () => {
    const ports = await Promise.all([1, 2, 3].map(() => bed.rest.createPort(network.id, 'host1')));
    const before = await bed.host(1).dumpFlows('br-int');
    const complaints = await complaintsDuring(async () => {
      for (const { id, mac_address } of [...ports, ...ports, ...ports]) {
        const name = `tap${id.slice(0, 11)}`;
        const marks = `external_ids:iface-id=${id} external_ids:attached-mac=\\"${mac_address}\\"`;
        await bed
          .host(1)
          .exec(
            `ovs-vsctl --no-wait add-port br-int ${name} -- set Interface ${name} type=internal ${marks}; ovs-vsctl --no-wait del-port ${name}`,
          );
      }
      await until(async () => JSON.stringify(await bed.host(1).dumpFlows('br-int')) === JSON.stringify(before));
    }, 0);
    expect(complaints).toEqual([]);
    await until(async () => (await Promise.all(ports.map(({ id }) => bed.rest.port(id)))).every(isDown));
  });

  test('nothing of it disturbed the ports that work', async () => {
    const { answered, lost } = await pinging.stop();

    expect(answered).toBeGreaterThan(500);
    expect(lost).toBe(0);
  });

  test('a provider bridge that is removed is named once, and wired again when it is back', async () => {
    const before = await bed.host(1).dumpFlows('br-ex');
    const complaints = await complaintsDuring(async () => {
      await bed.host(1).vsctl('del-br', 'br-ex');
      await agent.untilLogged(/ERROR .*bridge=br-ex/);
      await bed.host(1).vsctl('add-br', 'br-ex', '--', 'set', 'Bridge', 'br-ex', 'datapath_type=netdev');
      await until(async () => JSON.stringify(await bed.host(1).dumpFlows('br-ex')) === JSON.stringify(before));
      await until(
        async () => (await bed.host(1).vsctl('get', 'Interface', 'int-br-ex', 'options:peer')) === 'phy-br-ex\n',
      );
    });
    expect(complaints.filter((line) => line.includes('ERROR'))).toEqual([
      expect.stringContaining('bridge=br-ex physicalNetwork=physnet1'),
    ]);
  });

  test('the integration bridge that is removed is made again, and ports plugged into it turn ACTIVE', async () => {
    await bed.host(1).vsctl('del-br', 'br-int');
    await until(() =>
      bed
        .host(1)
        .vsctl('br-exists', 'br-int')
        .then(() => true),
    );
    await bed.rest.untilPortsAre('DOWN', [undisturbed.port.id]);
    await bed.host(1).exec(['ip', 'netns', 'delete', undisturbed.guest.namespace]);

    const again = await plug(bed, undisturbed.port);

    await bed.rest.untilPortsAre('ACTIVE', [undisturbed.port.id]);
    expect((await wiringOf(bed, again)).tag).toEqual(expect.any(Number));
    await until(async () => /dl_vlan=601\b/.test((await bed.host(1).dumpFlows('br-int')).join('\n')));
  });

  async function notificationQueue(): Promise<string> {
    const listing = await run(['rabbitmqctl', '-q', 'list_queues', 'name', 'consumers']);
    const own = /^(patchbay-host1_fanout_\S+)\t1$/m.exec(listing)?.[1];
    if (own === undefined) throw new Error(`no queue of the agent's is consumed:\n${listing}`);
    return own;
  }

  /** Of a port that was unplugged the agent knows nothing more, and the switch has nothing. */
  const untilForgotten = (portId: string): Promise<boolean> =>
    until(async () => {
      const explained = await patchbay(bed.host(1), 'explain', portId).catch(({ message }: Error) => message);
      if (!explained.includes(`no port ${portId} is plugged here`)) throw new Error(explained);
      const { rows, added, changed, removed } = await report<PlanReport>(bed.host(1), 'plan');
      return rows + added + changed + removed === 0;
    });

  /** Takes the server's place for one question of that port, and answers it with `result`; everything else it leaves to the server. */
  async function answerPullOf(portId: string, result: unknown): Promise<{ readonly answered: Promise<void> }> {
    const taking = await broker.createChannel();
    let done: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      done = resolve;
    });
    const consumerTag = crypto.randomUUID();
    await taking.consume(
      'q-plugin',
      (message) => {
        if (message === null) return;
        const inner = JSON.parse(JSON.parse(message.content.toString())['oslo.message']);
        if (inner.method !== 'bulk_pull' || !JSON.stringify(inner.args).includes(portId)) {
          taking.nack(message);
          return;
        }
        taking.ack(message);
        const reply = { result, failure: null, ending: true, _msg_id: inner._msg_id, _unique_id: inner._msg_id };
        taking.sendToQueue(
          inner._reply_q,
          Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(reply) })),
          { contentType: 'application/json', contentEncoding: 'utf-8' },
        );
        void taking
          .cancel(consumerTag)
          .then(() => taking.close())
          .then(done);
      },
      { consumerTag, priority: 10 },
    );
    return { answered };
  }
});

const isDown = ({ status }: NeutronPort): boolean => status === 'DOWN';
