import { parseSchema } from '../../../core/switch/ovsdb';
import { openVSwitchSchema } from '../../../core/switch/ovsdb/fake';
import { ReplicaStore } from '../../../core/switch/ovsdb/replica';
import { REPLICATED, RowsMirror } from '../../../core/switch/rows-mirror';

const uuid = (number: number) => `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`;
const BRIDGE = uuid(1);

/** A bridge in a mirror, and what plugs a port into it and takes it away. */
function mirrored() {
  const store = new ReplicaStore(Object.keys(REPLICATED));
  store.adopt(parseSchema(openVSwitchSchema()), new Map(Object.entries(REPLICATED)));
  const mirror = new RowsMirror(store as unknown as ConstructorParameters<typeof RowsMirror>[0]);
  const update = (updates: unknown) => mirror.update(store.applyUpdate('update', updates));
  const bridge = (ports: readonly string[]) => ({
    Bridge: { [BRIDGE]: { new: { name: 'br-int', ports: ['set', ports.map((port) => ['uuid', port])] } } },
  });
  update(bridge([]));
  return {
    mirror,
    plug: (port: string, iface: string) =>
      update({
        ...bridge([port]),
        Port: { [port]: { new: { name: 'tap1', interfaces: ['uuid', iface] } } },
        Interface: { [iface]: { new: { name: 'tap1' } } },
      }),
    unplug: (port: string, iface: string) =>
      update({ ...bridge([]), Port: { [port]: { old: {} } }, Interface: { [iface]: { old: {} } } }),
  };
}

describe('the mirror of the database’s rows', () => {
  it('remembers nothing of ports that came and went', () => {
    const { mirror, plug, unplug } = mirrored();
    const references = Reflect.get(mirror, 'parents') as ReadonlyMap<string, string>;
    const before = references.size;
    for (let turn = 1; turn <= 3; turn++) {
      plug(uuid(turn * 10), uuid(turn * 10 + 1));
      expect(mirror.port('tap1')?.interfaces).toHaveLength(1);
      unplug(uuid(turn * 10), uuid(turn * 10 + 1));
      expect(mirror.port('tap1')).toBeUndefined();
    }
    expect(references.size).toBe(before);
  });
});
