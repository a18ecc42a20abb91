import type { ObjectChange, Rpc, RpcConnection } from '@patchbay/sdk';
import { FakeRpc } from '@patchbay/testing';
import { messagingConnector } from '../../../core/agent/messaging';
import { OBJECT_VERSIONS } from '../../../plugins/neutron/objects';
import { MemoryBroker } from '../../support/memory-broker';
import type { StandInObject } from '../../support/stand-in-objects';
import { StandInServer } from '../../support/stand-in-server';

/** A server with objects, and who asks it. */
interface Side {
  readonly rpc: Rpc;
  /** The server has it, and tells nobody. */
  have(type: string, object: StandInObject): void;
  update(type: string, object: StandInObject): Promise<void>;
  remove(type: string, id: string): Promise<void>;
  /** The broker was away and is back. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

async function overBroker(): Promise<Side> {
  const { connect } = new MemoryBroker();
  const transportUrl = 'rabbit://u:p@h1/';
  const server = await StandInServer.start({ transportUrl, connect });
  const rpc: RpcConnection = messagingConnector('everything', connect).connect({
    transportUrl,
    controlExchange: 'neutron',
    host: 'host1',
    callTimeoutMs: 5_000,
    maxCallTimeoutMs: 5_000,
    rabbit: {},
    pingEnabled: false,
    objectVersions: OBJECT_VERSIONS,
    pullStep: 20,
  });
  rpc.open();
  return {
    rpc,
    have: (type, object) => server.preload(type, object),
    update: async (type, object) => void (await server.update(type, object.id, object)),
    remove: (type, id) => server.remove(type, id),
    // As the neutron plugin does when the broker is back.
    restore: () => rpc.objects.resynchronise('broker-restored'),
    close: async () => {
      await rpc.close();
      await server.close();
    },
  };
}

async function inTheKit(): Promise<Side> {
  const rpc = new FakeRpc();
  return {
    rpc,
    have: (type, object) => rpc.objects.all.set(type, [...(rpc.objects.all.get(type) ?? []), object]),
    update: async (type, object) => rpc.push(type, 'updated', object),
    remove: async (type, id) => rpc.push(type, 'deleted', { id }),
    restore: async () => rpc.restore(),
    close: async () => undefined,
  };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never: ${what}`);
}

describe.each([
  ['over a broker', overBroker],
  ['in the test kit', inTheKit],
])('a type of object that a plugin follows, %s', (_where, start) => {
  const BGP = { version: '1.0', by: ['port_id', 'networks'] };
  const vpn = { id: 'v1', name: 'one', port_id: 'p1', networks: ['n1', 'n2'] };
  let side: Side;
  const told: string[] = [];
  const note = ({ type, id, previous, current }: ObjectChange) =>
    told.push([type, id, previous?.name ?? 'new', current?.name ?? 'gone'].join(' '));

  beforeEach(async () => {
    told.length = 0;
    side = await start();
  });
  afterEach(() => side.close());

  it('is refused by name until it is followed, and again once it is not', async () => {
    const { objects } = side.rpc;
    const refused = { code: 'PB-OBJECT-NOT-FOLLOWED', fields: { type: 'BgpVpn' } };
    await expect(objects.load('BgpVpn', ['v1'])).rejects.toMatchObject(refused);
    await expect(objects.find('BgpVpn', 'port_id', 'p1')).rejects.toMatchObject(refused);
    const unfollow = objects.follow('BgpVpn', BGP, note);
    side.have('BgpVpn', vpn);
    await expect(objects.load('BgpVpn', ['v1', 'v2'])).resolves.toEqual([expect.objectContaining(vpn)]);
    unfollow();
    unfollow();
    await expect(objects.load('BgpVpn', ['v1'])).rejects.toMatchObject(refused);
  });

  it('is found by the fields that were named, plain or in a list, and by no other', async () => {
    const { objects } = side.rpc;
    side.have('BgpVpn', vpn);
    side.have('BgpVpn', { ...vpn, id: 'v2', port_id: 'p2', networks: ['n2'] });
    objects.follow('BgpVpn', BGP, note);
    const ids = async (field: string, value: string) =>
      (await objects.find('BgpVpn', field, value)).map(({ id }) => id).sort();
    expect(await ids('port_id', 'p1')).toEqual(['v1']);
    expect(await ids('networks', 'n2')).toEqual(['v1', 'v2']);
    expect(await ids('networks', 'n3')).toEqual([]);
    await expect(ids('name', 'one')).rejects.toMatchObject({
      code: 'PB-OBJECT-NOT-INDEXED',
      message: expect.stringContaining('only by port_id, networks'),
    });
  });

  it('is told of as it changes, where it was asked for', async () => {
    const { objects } = side.rpc;
    side.have('BgpVpn', vpn);
    side.have('BgpVpn', { ...vpn, id: 'v2', port_id: 'p2', networks: [] });
    objects.follow('BgpVpn', BGP, note);
    await objects.find('BgpVpn', 'port_id', 'p1');
    await side.update('BgpVpn', { ...vpn, id: 'v2', port_id: 'p2', name: 'not asked for' });
    await side.update('BgpVpn', { ...vpn, name: 'other' });
    await side.update('BgpVpn', { ...vpn, id: 'v3', name: 'third' });
    await side.remove('BgpVpn', 'v1');
    await until('all is told', () => told.length >= 3);
    expect(told).toEqual(['BgpVpn v1 one other', 'BgpVpn v3 new third', 'BgpVpn v1 other gone']);
    await expect(objects.find('BgpVpn', 'port_id', 'p1')).resolves.toMatchObject([{ id: 'v3' }]);
  });

  it('is caught up with after an outage', async () => {
    const { objects } = side.rpc;
    side.have('BgpVpn', vpn);
    objects.follow('BgpVpn', BGP, note);
    await objects.load('BgpVpn', ['v1', 'v9']);
    side.have('BgpVpn', { ...vpn, id: 'v9', name: 'late' });
    await side.restore();
    await until('it is told', () => told.length > 0);
    expect(told).toEqual(['BgpVpn v9 new late']);
  });

  it('is asked for again when it was forgotten', async () => {
    const { objects } = side.rpc;
    side.have('BgpVpn', vpn);
    side.have('BgpVpn', { ...vpn, id: 'v2', port_id: 'p2' });
    objects.follow('BgpVpn', BGP, note);
    await objects.load('BgpVpn', ['v1', 'v2']);
    await objects.find('BgpVpn', 'port_id', 'p1');
    objects.forget('BgpVpn', 'v1');
    objects.forgetFound('BgpVpn', 'port_id', 'p1');
    await side.update('BgpVpn', { ...vpn, name: 'unheard' });
    await side.update('BgpVpn', { ...vpn, id: 'v2', port_id: 'p2', name: 'heard' });
    await until('the later is told', () => told.length > 0);
    await expect(objects.load('BgpVpn', ['v1'])).resolves.toMatchObject([{ name: 'unheard' }]);
    expect(told).toEqual(['BgpVpn v2 one heard']);
  });

  it('is followed by several in one version, each telling its own listener, and in no second version', async () => {
    const { objects } = side.rpc;
    side.have('BgpVpn', vpn);
    objects.follow('BgpVpn', { version: '1.0' }, note);
    const leave = objects.follow('BgpVpn', BGP, () => told.push('second'));
    const refused = { code: 'PB-OBJECT-VERSION', message: expect.stringContaining('it is followed in 1.0 already') };
    expect(() => objects.follow('BgpVpn', { version: '1.1' }, note)).toThrow(expect.objectContaining(refused));
    expect(() => objects.follow('Other', { version: 'new' }, note)).toThrow(/PB-OBJECT-VERSION: .*two numbers/);
    await objects.load('BgpVpn', ['v1']);
    await side.update('BgpVpn', { ...vpn, name: 'other' });
    await until('both are told', () => told.length >= 2);
    leave();
    await side.update('BgpVpn', { ...vpn, name: 'third' });
    await until('one is told', () => told.length >= 3);
    expect(told).toEqual(['BgpVpn v1 one other', 'second', 'BgpVpn v1 other third']);
    await expect(objects.versions()).resolves.toEqual({ ...OBJECT_VERSIONS, BgpVpn: '1.0' });
  });

  it('may be one of the agent’s own, to be found by more fields', async () => {
    const { objects } = side.rpc;
    side.have('Subnet', {
      id: 's1',
      network_id: 'n1',
      cidr: '10.0.0.0/24',
      ip_version: 4,
      enable_dhcp: true,
      segment_id: 'g1',
    });
    await expect(objects.find('Subnet', 'segment_id', 'g1')).rejects.toMatchObject({ code: 'PB-OBJECT-NOT-INDEXED' });
    expect(() => objects.follow('Subnet', { version: '1.2' }, note)).toThrow(/PB-OBJECT-VERSION/);
    await objects.load('Subnet', ['s1']);
    const leave = objects.follow('Subnet', { version: '1.1', by: ['segment_id'] }, note);
    await expect(objects.find('Subnet', 'segment_id', 'g1')).resolves.toMatchObject([{ id: 's1' }]);
    leave();
    await expect(objects.find('Subnet', 'segment_id', 'g1')).rejects.toMatchObject({ code: 'PB-OBJECT-NOT-INDEXED' });
    await expect(objects.find('Subnet', 'network_id', 'n1')).resolves.toMatchObject([{ id: 's1' }]);
  });

  it('is pulled by several fields at once', async () => {
    side.have('BgpVpn', vpn);
    side.have('BgpVpn', { ...vpn, id: 'v2', port_id: 'p2' });
    const found = await side.rpc.pullObjects('BgpVpn', '1.0', { networks: ['n1'], port_id: ['p2', 'p3'] });
    expect(found.map(({ id }) => id)).toEqual(['v2']);
  });
});
