import { encodeVersionedObject, pushTopics, ResourceClient } from '../../../core/rpc';

const network = (id: string) => encodeVersionedObject('Network', { id, mtu: 1450 });

describe('the resource client', () => {
  it('pulls one object, or undefined', async () => {
    const call = jest.fn().mockResolvedValueOnce(network('n')).mockResolvedValueOnce(null);
    const client = new ResourceClient(call);
    await expect(client.pull('Network', '1.1', 'n')).resolves.toMatchObject({ id: 'n', mtu: 1450 });
    await expect(client.pull('Network', '1.1', 'm')).resolves.toBeUndefined();
    expect(call).toHaveBeenCalledWith(
      { topic: 'q-plugin', version: '1.1' },
      'pull',
      { resource_type: 'Network', version: '1.1', resource_id: 'n' },
      { idempotent: true },
    );
  });

  it('pulls many by a filter, or all', async () => {
    const call = jest.fn().mockResolvedValue([network('a'), network('b')]);
    const client = new ResourceClient(call);
    const found = await client.bulkPull('Network', '1.1', { id: ['a', 'b'] });
    await client.bulkPull('Network', '1.1');
    expect(found.objects.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(call.mock.calls.map(([, method, args]) => [method, args.filter_kwargs])).toEqual([
      ['bulk_pull', { id: ['a', 'b'] }],
      ['bulk_pull', null],
    ]);
  });

  it('pulls the others of an object that cannot be read, and says which it was', async () => {
    const bad = { ...network('bad'), 'versioned_object.data': { id: 'bad', segments: 'none' } };
    const { objects, unreadable } = await new ResourceClient(async () => [bad, network('a')]).bulkPull(
      'Network',
      '1.1',
    );
    expect([objects.map(({ id }) => id), unreadable]).toEqual([
      ['a'],
      [{ id: 'bad', error: expect.objectContaining({ type: 'Network', field: 'segments' }) }],
    ]);
  });

  it('refuses an answer of another type', async () => {
    const client = new ResourceClient(async () => network('n'));
    await expect(client.pull('Port', '1.7', 'n')).rejects.toMatchObject({ field: 'versioned_object.name' });
  });

  it('names the topics of pushes by type and version', () => {
    expect(pushTopics({ Port: '1.7', Trunk: '1.1' })).toEqual(['neutron-vo-Port-1.7', 'neutron-vo-Trunk-1.1']);
  });
});
