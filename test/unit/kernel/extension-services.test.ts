import {
  type AllottedTables,
  type Commands,
  type DesiredState,
  type Numbers,
  type PacketIns,
  type Plugin,
  parseFlow,
  plugin,
  type ReceivedPacket,
  Service,
  type SwitchView,
  use,
} from '@patchbay/sdk';
import { EventContext } from '../../../core/kernel/event-context';
import { HealthBook } from '../../../core/kernel/health';
import { LimitedPacketIns, packetAllowance, packetCeiling } from '../../../core/kernel/packet-ins';
import { type KernelBed, kernelBed } from '../../support/kernel/kernel-bed';
import { RecordingLog } from '../../support/kernel/recording-logger';

let asked: Probe | undefined;

@plugin({
  id: 'probe',
  summary: 'Asks for everything an extension may ask for',
  sdk: '^1.0.0',
  claims: [{ bridge: 'integration', tables: [60] }],
  tables: [
    { bridge: 'integration', name: 'copy' },
    { bridge: 'integration', name: 'count' },
  ],
  onFailure: 'degrade',
})
class Probe implements Plugin {
  constructor(
    @use(Service.desired) readonly desired: DesiredState,
    @use(Service.tables) readonly tables: AllottedTables,
    @use(Service.numbers) readonly numbers: Numbers,
    @use(Service.commands) readonly commands: Commands,
    @use(Service.packetIns) readonly packetIns: PacketIns,
  ) {
    asked = this;
  }

  stop(): void {}
}

@plugin({
  id: 'responder',
  summary: 'Answers for a whole host',
  sdk: '^1.0.0',
  packetIns: { perSecond: 900, burst: 300 },
  onFailure: 'degrade',
})
class Responder implements Plugin {
  constructor(@use(Service.packetIns) private readonly packetIns: PacketIns) {}

  start(): void {
    this.packetIns.subscribe({ bridge: 'br-int' }, () => {
      responded += 1;
    });
  }
}
let responded = 0;

@plugin({
  id: 'another',
  summary: 'Has a table of the same name',
  sdk: '^1.0.0',
  tables: [{ bridge: 'integration', name: 'copy' }],
  onFailure: 'degrade',
})
class Another implements Plugin {}

let bed: KernelBed & { readonly remove: () => Promise<void> };
const probe = (): Probe => {
  if (asked === undefined) throw new Error('the plugin was not made');
  return asked;
};
/** A switch on which somebody has these flows. */
const switchWith = (flows: Awaited<ReturnType<SwitchView['flows']>>): SwitchView => ({
  summary: async () => {
    throw new Error('nobody asks for it here');
  },
  bridges: async () => [],
  ports: async () => [],
  flows: async () => flows,
  watch: () => () => undefined,
});
const flow = (text: string) => parseFlow('br-int', text);

async function boot(...classes: Parameters<typeof kernelBed>[0]): Promise<void> {
  bed = kernelBed(classes);
  await bed.kernel.boot();
}

afterEach(async () => {
  await bed.remove();
  asked = undefined;
});

describe('a key that the manifest does not cover', () => {
  const bad = { flows: [flow('table=24,priority=2 actions=drop')] };

  it('is refused by name, and no other key', async () => {
    await boot(Probe);
    probe().desired.set('bad', bad);
    probe().desired.set('good', { flows: [flow('table=60,priority=2 actions=drop')] });
    expect(bed.store.records('probe', 'bad')).toBeUndefined();
    expect(bed.store.records('probe', 'good')).toBeDefined();
    expect(await probe().desired.progress('bad')).toEqual({
      state: 'quarantined',
      reason: expect.stringMatching(/^PB-CLAIM-VIOLATED: probe wants a flow on br-int in table 24 at priority 2/),
    });
  });

  it('shows in the plugin’s health until the key is stated well or withdrawn', async () => {
    await boot(Probe);
    probe().desired.set('bad', bad);
    expect(bed.kernel.healthBook.plugin('probe').conditions).toEqual([
      expect.objectContaining({ condition: 'refused key bad', level: 'degraded' }),
    ]);
    probe().desired.unset('bad');
    expect(bed.kernel.healthBook.plugin('probe').level).toBe('ok');
  });

  it('leaves what the key stated before', async () => {
    await boot(Probe);
    const good = { flows: [flow('table=60,priority=2 actions=drop')] };
    probe().desired.set('key', good);
    probe().desired.set('key', bad);
    expect(bed.store.records('probe', 'key')).toEqual(good);
  });
});

it('a plugin that is not stock may not want more flows than the budget, over all its keys', async () => {
  const many = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => flow(`table=60,priority=2,tcp,tp_dst=${from + index} actions=drop`));
  bed = kernelBed([], {
    plugins: [{ name: './extension-services.test.ts', options: {}, from: 'patchbay.yaml:1' }],
    configDir: __dirname,
    load: async () => ({ Probe }),
    flowBudget: 10,
  });
  await bed.kernel.boot();
  probe().desired.set('a', { flows: many(6) });
  probe().desired.set('b', { flows: many(6, 100) });
  expect((await probe().desired.progress('b')).state).toBe('quarantined');
  probe().desired.unset('a');
  probe().desired.set('b', { flows: many(6, 100) });
  expect(bed.store.records('probe', 'b')).toBeDefined();
});

it('a plugin that comes with the agent cannot be put in a worker', async () => {
  bed = kernelBed([Probe], { plugins: [{ name: 'probe', options: {}, isolation: 'worker', from: 'patchbay.yaml:1' }] });
  await expect(bed.kernel.boot()).rejects.toThrow(
    'PB-WORKER-UNFIT: probe cannot run in a worker (patchbay.yaml:1): it comes with the agent',
  );
});

describe('tables of a plugin’s own', () => {
  it('have numbers that are known when it is constructed', async () => {
    await boot(Probe);
    expect(probe().tables).toEqual({ copy: 100, count: 101 });
    expect(bed.kernel.plugins()[0]?.tables).toEqual({ copy: 100, count: 101 });
  });

  it('keep them when plugins come and go', async () => {
    await boot(Probe);
    const { stateDir } = bed;
    await bed.kernel.stop();
    const first = bed;
    for (const classes of [[Another], [Another, Probe]]) {
      bed = kernelBed(classes, { settings: { state_dir: stateDir } });
      await bed.kernel.boot();
      await bed.kernel.stop();
    }
    expect(probe().tables).toEqual({ copy: 100, count: 101 });
    expect(bed.kernel.plugins().map(({ id, tables }) => [id, tables])).toEqual([
      ['another', { copy: 102 }],
      ['probe', { copy: 100, count: 101 }],
    ]);
    await first.remove();
  });

  it('avoid tables that somebody else writes', async () => {
    const stranger = { ...flow('table=100,priority=1 actions=drop'), cookie: 0x1234n };
    bed = kernelBed([Probe], {}, { switchView: switchWith([stranger]) });
    await bed.kernel.boot();
    expect(probe().tables).toEqual({ copy: 101, count: 102 });
  });
});

describe('numbers', () => {
  const meter = (number: number) => ({
    meters: [{ bridge: 'br-int', meter: number, unit: 'pktps', bands: [{ kind: 'drop', rate: 1, burst: 0 }] }] as const,
  });

  it('that were allotted may be stated, and no others: that key is refused, by the number’s name', async () => {
    await boot(Probe);
    const { numbers, desired } = probe();
    const number = await numbers.allot('meter', 'br-int', 'p1');
    desired.set('own', meter(number));
    desired.set('theirs', meter(number + 1));
    expect(bed.store.records('probe', 'own')).toBeDefined();
    expect(bed.store.records('probe', 'theirs')).toBeUndefined();
    expect((await desired.progress('theirs')).state).toBe('quarantined');
    expect(bed.kernel.healthBook.plugin('probe').conditions[0]?.detail).toContain(`meter ${number + 1} on br-int`);
    await numbers.release('meter', 'br-int', 'p1');
    desired.set('late', meter(number));
    expect(bed.store.records('probe', 'late')).toBeUndefined();
  });

  it('are the same for the same name, and others for others', async () => {
    await boot(Probe);
    const { numbers } = probe();
    const [first, again, other] = await Promise.all([
      numbers.allot('meter', 'br-int', 'p1'),
      numbers.allot('meter', 'br-int', 'p1'),
      numbers.allot('meter', 'br-int', 'p2'),
    ]);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('are given out again after they were released', async () => {
    await boot(Probe);
    const { numbers } = probe();
    const first = await numbers.allot('meter', 'br-int', 'p1');
    await numbers.release('meter', 'br-int', 'p1');
    expect(await numbers.allot('meter', 'br-int', 'p2')).toBe(first);
  });
});

describe('commands', () => {
  it('are run with their words', async () => {
    await boot(Probe);
    probe().commands.add({ name: 'echo', summary: 'Says it again' }, (words) => words.join(' '));
    expect(await bed.kernel.commands.run('probe', 'echo', ['one', 'two'])).toBe('one two');
    expect(bed.kernel.commands.list()).toEqual([
      { plugin: 'probe', name: 'echo', summary: 'Says it again', usage: '' },
    ]);
  });

  it('that fail, or are not there, are named', async () => {
    await boot(Probe);
    probe().commands.add({ name: 'fail', summary: 'Fails' }, () => {
      throw new Error('no such port');
    });
    await expect(bed.kernel.commands.run('probe', 'fail', [])).rejects.toThrow(
      'PB-COMMAND-FAILED: probe could not do fail: no such port',
    );
    await expect(bed.kernel.commands.run('probe', 'fial', [])).rejects.toThrow(/did you mean probe fail/);
    expect(() => probe().commands.add({ name: 'fail', summary: '' }, () => '')).toThrow(/PB-COMMAND-TWICE/);
  });
});

describe('what a manifest asks for of packets', () => {
  const packet = { bridge: 'br-int', table: 0, inPort: null, match: {}, totalLength: 1, bytes: new Uint8Array(1) };

  async function respondedWith(ceiling: number): Promise<number> {
    responded = 0;
    let arrive: (told: ReceivedPacket) => void = () => undefined;
    const settings = { packet_in_ceiling: ceiling };
    bed = kernelBed(
      [Responder],
      { settings },
      {
        packetsOf: (_plugin, _from, listener) => {
          arrive = listener;
          return () => undefined;
        },
      },
    );
    await bed.kernel.boot();
    for (let count = 0; count < 1000; count += 1) arrive(packet);
    return responded;
  }

  it('is what it is told', async () => {
    expect(await respondedWith(900)).toBeGreaterThanOrEqual(300);
  });

  it('is refused by name beyond the ceiling, and the agent goes on without the plugin', async () => {
    expect(await respondedWith(800)).toBe(0);
    const { failure } = bed.kernel.plugins().find(({ id }) => id === 'responder') ?? {};
    expect(failure).toContain('PB-PACKET-INS-REFUSED: responder');
    expect(bed.kernel.health().level).toBe('degraded');
  });
});

describe('packets', () => {
  const packet: ReceivedPacket = {
    bridge: 'br-int',
    table: 100,
    inPort: 'tap1',
    match: {},
    totalLength: 60,
    bytes: new Uint8Array(60),
  };
  let arrive: (packet: ReceivedPacket) => void = () => undefined;
  let now = 0;
  const health = new HealthBook();
  const limited = (allowance = packetAllowance(undefined, packetCeiling(1000))) =>
    new LimitedPacketIns({
      plugin: 'probe',
      allowance,
      source: (_plugin, _from, listener) => {
        arrive = listener;
        return () => {
          arrive = () => undefined;
        };
      },
      context: new EventContext(),
      logger: new RecordingLog().for('probe'),
      health: health.of('probe'),
      now: () => now,
    });

  beforeEach(async () => {
    await boot(Probe);
  });

  it('are told no faster than a hundred a second, and the loss is in the plugin’s health', () => {
    let told = 0;
    limited().subscribe({ bridge: 'br-int' }, () => {
      told += 1;
    });
    for (let count = 0; count < 1000; count += 1) arrive(packet);
    expect(told).toBe(200);
    now += 500;
    for (let count = 0; count < 1000; count += 1) arrive(packet);
    expect(told).toBe(250);
    expect(health.plugin('probe').conditions[0]?.condition).toBe('packets dropped');
  });

  it.each([
    { perSecond: 1000, burst: 500 },
    { perSecond: 3, burst: 1 },
  ])('are told as fast as the manifest asks, and the loss is forgotten when they come slowly: %p', (allowance) => {
    let told = 0;
    limited(allowance).subscribe({ bridge: 'br-int' }, () => {
      told += 1;
    });
    for (let count = 0; count < 10_000; count += 1) arrive(packet);
    expect(told).toBe(allowance.burst);
    expect(health.plugin('probe').conditions[0]?.detail).toContain(`at most ${allowance.perSecond} a second`);
    now += 340;
    for (let count = 0; count < 10_000; count += 1) arrive(packet);
    expect(told).toBe(allowance.burst + Math.floor(allowance.perSecond * 0.34));
    now += 60_000;
    arrive(packet);
    expect(health.plugin('probe').conditions).toEqual([]);
  });

  it('are no more than the operator’s ceiling for who asks for none', () => {
    expect(packetAllowance(undefined, packetCeiling(1000))).toEqual({ perSecond: 100, burst: 200 });
    expect(packetAllowance(undefined, packetCeiling(50))).toEqual({ perSecond: 50, burst: 100 });
  });

  it('go on after a listener that throws', async () => {
    let told = 0;
    limited().subscribe({ bridge: 'br-int' }, () => {
      told += 1;
      throw new Error('no');
    });
    arrive(packet);
    arrive(packet);
    await Promise.resolve();
    expect(told).toBe(2);
  });

  it('end with the plugin', () => {
    let told = 0;
    const packets = limited();
    packets.subscribe({ bridge: 'br-int' }, () => {
      told += 1;
    });
    packets.end();
    arrive(packet);
    expect(told).toBe(0);
  });
});
