import { type DesiredRecords, type Flow, flow, output, port } from '@patchbay/sdk';
import { DesiredSlice } from '../../../core/kernel/desired-slice';
import { EventContext, type EventFrame, StagedChanges, type TapFrame } from '../../../core/kernel/event-context';
import { HealthBook } from '../../../core/kernel/health';
import { MemoryDesiredStore } from '../../support/kernel/memory-desired-store';
import { RecordingLog } from '../../support/kernel/recording-logger';

/** What the store has of a key that was stated with these records. */
function crossing() {
  const store = new MemoryDesiredStore();
  const parts = { plugin: 'a', store, context: new EventContext(), logger: new RecordingLog().for('a') };
  const slice = new DesiredSlice({ ...parts, health: new HealthBook().of('a') });
  return (records: DesiredRecords): Flow => {
    slice.set('k', records);
    const [stated] = store.rounds.at(-1)?.changes.at(-1)?.records?.flows ?? [];
    if (stated === undefined) throw new Error('no flow was stated');
    return stated;
  };
}

const place = { bridge: 'br-int', table: 60, priority: 1 };

describe('a flow on its way to the store', () => {
  it('is the same object when the SDK made it, however often it is stated', () => {
    const state = crossing();
    const made = flow({ ...place, match: { in_port: port('tap1') }, actions: [output('tap2')] });
    expect(state({ flows: [made] })).toBe(made);
    expect(state({ flows: [made] })).toBe(made);
  });

  it('is a copy when somebody can still change it', () => {
    const match: Record<string, string> = { nw_src: '10.0.0.1' };
    const written = { ...place, match, actions: [] };
    for (const one of [written, Object.freeze(written), Object.freeze({ ...flow(place), match })]) {
      const stated = crossing()({ flows: [one] });
      match.nw_src = '10.0.0.2';
      expect(stated).not.toBe(one);
      expect(stated.match).toEqual({ nw_src: '10.0.0.1' });
      match.nw_src = '10.0.0.1';
    }
  });

  it('does not change with the parts that it was made of', () => {
    const match: Record<string, string> = { nw_src: '10.0.0.1' };
    const target = { port: 'tap1' };
    const actions = [output(target)];
    const stated = crossing()({ flows: [flow({ ...place, match, actions })] });
    match.nw_src = '10.0.0.2';
    target.port = 'tap2';
    actions.pop();
    expect(stated).toEqual({ ...place, match: { nw_src: '10.0.0.1' }, actions: [output('tap1')] });
  });

  it('is refused, by the name of its field, where it is no plain data', () => {
    const actions = [{ ...output('tap1'), maxLength: () => 0 }] as unknown as Flow['actions'];
    expect(() => crossing()({ flows: [flow({ ...place, actions })] })).toThrow(/flows\[0\]\.actions\[0\]/);
    const loop: Record<string, unknown> = {};
    loop.loop = loop;
    expect(() => crossing()({ flows: [flow({ ...place, match: loop as Flow['match'] })] })).toThrow(/contains itself/);
  });
});

describe('the flows that a plugin may want', () => {
  const many = (count: number): DesiredRecords => ({
    flows: Array.from({ length: count }, (_, priority) => flow({ bridge: 'br-int', table: 60, priority })),
  });

  function slice() {
    const store = new MemoryDesiredStore();
    const context = new EventContext();
    const parts = { plugin: 'a', store, context, logger: new RecordingLog().for('a'), flowBudget: 10 };
    const desired = new DesiredSlice({ ...parts, health: new HealthBook().of('a') });
    const stateOf = async (key: string) => (await desired.progress(key)).state;
    return { desired, context, store, stateOf };
  }

  const event = (): EventFrame => ({
    cause: 'test',
    state: 'open',
    staged: new StagedChanges(),
    late: () => undefined,
  });

  it('are not used up by a tap that failed, nor by an event that came to nothing', async () => {
    const { desired, context, stateOf } = slice();
    for (let time = 0; time < 3; time += 1) {
      const frame = event();
      context.inEvent(frame, () => {
        const tap: TapFrame = { plugin: 'a', state: 'open', staged: new StagedChanges() };
        context.inTap(tap, () => desired.set(`tap ${time}`, many(8)));
        tap.state = 'dropped';
        desired.set(`event ${time}`, many(8));
      });
      frame.state = 'dropped';
    }
    desired.set('k', many(10));
    expect(await stateOf('k')).not.toBe('quarantined');
  });

  it('count while an event is under way, and when it has left', async () => {
    const { desired, context, stateOf } = slice();
    const frame = event();
    context.inEvent(frame, () => desired.set('staged', many(8)));
    desired.set('k', many(3));
    expect(await stateOf('k')).toBe('quarantined');
    frame.state = 'left';
    desired.set('k', many(3));
    expect(await stateOf('k')).toBe('quarantined');
    desired.set('k', many(2));
    expect(await stateOf('k')).not.toBe('quarantined');
  });

  it('are free again when a key is withdrawn', async () => {
    const { desired, stateOf } = slice();
    desired.set('one', many(10));
    desired.unset('one');
    desired.set('two', many(10));
    expect(await stateOf('two')).toBe('applied');
  });
});
