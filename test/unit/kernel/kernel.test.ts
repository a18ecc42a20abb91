import {
  type AgentHooks,
  type DesiredState,
  type Plugin,
  type PluginClass,
  type Provide,
  plugin,
  providedToken,
  Service,
  use,
} from '@patchbay/sdk';
import { type BedOptions, type KernelBed, kernelBed, listOf } from '../../support/kernel/kernel-bed';
import { BOUND, DRAFT } from '../../support/kernel/samples';

const greeting = providedToken<{ readonly hello: string }>('greeting');
const nowhere = providedToken<string>('nowhere');

@plugin({ id: 'wires', summary: 'Wires ports', sdk: '^1.0.0', onFailure: 'abort' })
class Wires implements Plugin {
  constructor(@use(Service.desired) private readonly desired: DesiredState) {}
  tap(hooks: AgentHooks): void {
    hooks.onPortAdded((bound) => this.desired.set(`port/${bound.port.id}`, { flows: [] }));
  }
}

@plugin({ id: 'throws', summary: 'Throws', sdk: '^1.0.0', onFailure: 'degrade' })
class Throws implements Plugin {
  constructor(@use(Service.desired) private readonly desired: DesiredState) {}
  tap(hooks: AgentHooks): void {
    hooks.onPortAdded((bound) => {
      this.desired.set(`port/${bound.port.id}`, {});
      throw new Error('a vendor forgot a null check');
    });
  }
}

@plugin({ id: 'hangs', summary: 'Hangs', sdk: '^1.0.0', onFailure: 'degrade' })
class Hangs implements Plugin {
  tap(hooks: AgentHooks): void {
    hooks.beforePortBind(() => new Promise(() => undefined));
  }
}

@plugin({ id: 'lost', summary: 'Asks for what nobody has', sdk: '^1.0.0', onFailure: 'degrade' })
class Lost implements Plugin {
  constructor(@use(nowhere) readonly token: string) {}
  tap(): void {}
}

@plugin({ id: 'greeter', summary: 'Greets', sdk: '^1.0.0', onFailure: 'abort', provides: [greeting] })
class Greeter implements Plugin {
  provide(provide: Provide): void {
    provide(greeting, { hello: 'from stock' });
  }
}

@plugin({
  id: 'own-greeter',
  summary: 'Greets in its own way',
  sdk: '^1.0.0',
  onFailure: 'abort',
  replaces: 'greeter',
  provides: [greeting],
})
class OwnGreeter implements Plugin {
  provide(provide: Provide): void {
    provide(greeting, { hello: 'from a vendor' });
  }
}

const ALL: readonly PluginClass[] = [Wires, Throws, Hangs, Lost, Greeter, OwnGreeter];

describe('a kernel with plugins that fail in every way', () => {
  let bed: KernelBed & { readonly remove: () => Promise<void> };
  beforeEach(async () => {
    bed = kernelBed(ALL);
    await bed.kernel.boot();
  });
  afterEach(() => bed.remove());

  it('still wires a port', async () => {
    await bed.kernel.announcer.event('vif tap1', (calls) => calls.tell('onPortAdded', BOUND));
    expect(bed.store.keys('wires')).toEqual(['port/port-1']);
  });

  it('drops what a tap stated before it threw', async () => {
    await bed.kernel.announcer.event('vif tap1', (calls) => calls.tell('onPortAdded', BOUND));
    expect(bed.store.keys('throws')).toEqual([]);
  });

  it('names the tap that threw in the delivery, the health and the log', async () => {
    const { value } = await bed.kernel.announcer.event('vif tap1', (calls) => calls.tell('onPortAdded', BOUND));
    const reason = 'PB-TAP-FAILED: throws failed in onPortAdded: a vendor forgot a null check';
    expect(value.failures).toEqual([{ plugin: 'throws', required: false, reason }]);
    expect(bed.kernel.healthBook.plugin('throws')).toMatchObject({
      level: 'degraded',
      conditions: [{ condition: 'hook onPortAdded', detail: reason }],
    });
    expect(bed.log.of('warn')).toContainEqual(
      expect.objectContaining({ plugin: 'throws', fields: expect.objectContaining({ cause: 'vif tap1' }) }),
    );
  });

  it('goes on with the draft when a tap hangs', async () => {
    const { value } = await bed.kernel.announcer.event('vif tap1', (calls) => calls.beforePortBind(DRAFT));
    expect(value).toEqual(DRAFT);
    expect(bed.kernel.trace()).toMatchObject([{ hook: 'beforePortBind', plugin: 'hangs', outcome: 'timed-out' }]);
  });

  it('says which plugin asked for which token at which place', () => {
    expect(bed.kernel.plugins().find(({ id }) => id === 'lost')).toMatchObject({
      phase: 'failed',
      failure: expect.stringContaining('PB-MISSING-TOKEN: lost asks for nowhere at position 0 of its constructor'),
    });
  });

  it('has the replacement provide in place of the replaced', () => {
    expect(bed.kernel.provided(greeting)).toEqual({ hello: 'from a vendor' });
    expect(bed.kernel.plugins().map(({ id }) => id)).not.toContain('greeter');
  });

  it('is degraded as a whole, not failing, while only optional plugins fail', () => {
    expect(bed.kernel.health().level).toBe('degraded');
  });

  it('lists who tapped what', () => {
    expect(bed.kernel.hooksListing().find(({ hook }) => hook === 'onPortAdded')).toEqual({
      hook: 'onPortAdded',
      plugins: ['throws', 'wires'],
    });
  });

  it('runs after the first synchronisation and tells it once', async () => {
    const phases: string[] = [];
    bed.kernel.onPhase((phase) => phases.push(phase));
    bed.kernel.synchronisation.portsDone(4);
    await bed.kernel.synchronisation.synced;
    expect(bed.kernel.phase).toBe('running');
    await bed.kernel.stop();
    expect(phases).toEqual(['running', 'draining', 'stopped']);
  });

  it('takes no event once it stops', async () => {
    await bed.kernel.stop();
    await expect(bed.kernel.announcer.event('late', async () => 1)).rejects.toThrow('PB-STOPPING');
  });

  it('records each step of the boot', () => {
    expect(bed.kernel.bootTree().filter(({ plugin }) => plugin === 'wires')).toMatchObject([
      { step: 'construct' },
      { step: 'tap' },
      { step: 'start' },
    ]);
  });
});

describe('the boot plan', () => {
  it('is made without constructing anything', async () => {
    let constructed = 0;
    @plugin({ id: 'counted', summary: 'Counts', sdk: '^1.0.0', onFailure: 'abort' })
    class Counted implements Plugin {
      constructor() {
        constructed += 1;
      }
      tap(): void {}
    }
    const bed = kernelBed([Counted]);
    const plan = await bed.kernel.plan();
    expect(plan.plugins).toMatchObject([{ id: 'counted', from: 'patchbay.yaml:1', hooks: null, version: '0.1.0' }]);
    expect(constructed).toBe(0);
    await bed.remove();
  });

  it('tells every mistake in the options', async () => {
    const bed = kernelBed([Wires], {
      plugins: [{ ...listOf([Wires])[0], name: 'wires', from: 'x:1', options: { a: 1, b: 2 } }],
    });
    const { errors } = await bed.kernel.plan();
    expect(errors.map(({ code, fields }) => [code, fields.field])).toEqual([
      ['PB-OPTION-UNKNOWN', 'a'],
      ['PB-OPTION-UNKNOWN', 'b'],
    ]);
    await bed.remove();
  });
});

describe('plugins taken off the list', () => {
  it('have what they wanted withdrawn at the next boot', async () => {
    const first = kernelBed([Wires, Throws]);
    await first.kernel.boot();
    await first.kernel.stop();
    const second = kernelBed([Wires], { settings: { state_dir: first.stateDir } });
    await second.kernel.boot();
    expect(second.store.retired).toEqual(['throws']);
    await second.remove();
    await first.remove();
  });
});

describe('a plugin in a worker whose module cannot be loaded', () => {
  const file = __filename;
  const isolated = { name: file, options: {}, from: 'patchbay.yaml:9', isolation: 'worker' } as const;
  const former = { name: file, ids: ['acme'], vital: false };

  const bedWith = (more: BedOptions & { readonly allowed?: boolean } = {}) => {
    const { allowed, ...options } = more;
    return kernelBed([Wires], {
      plugins: [...listOf([Wires]), { ...isolated, ...(allowed === true ? { required: true } : {}) }],
      describe: async () => {
        throw new Error('it was not loaded after 10000 ms: does it loop, or wait for something?');
      },
      ...options,
    });
  };

  it('is left out and named, and the others run', async () => {
    const bed = bedWith();
    await bed.kernel.boot();
    expect(bed.kernel.plugins().map(({ id, phase }) => [id, phase])).toEqual([['wires', 'running']]);
    expect(bed.kernel.healthBook.plugin(file)).toMatchObject({
      level: 'failing',
      conditions: [{ condition: 'lifecycle', detail: expect.stringContaining('PB-WORKER-NOT-LOADED') }],
    });
    expect(bed.kernel.health().level).toBe('degraded');
    await bed.remove();
  });

  it('keeps what it stated in an earlier run, and is named by its id', async () => {
    const first = kernelBed([Wires, Throws]);
    await first.kernel.boot();
    await first.kernel.stop();
    const second = bedWith({ settings: { state_dir: first.stateDir }, former: [{ ...former, ids: ['throws'] }] });
    await second.kernel.boot();
    expect(second.store.retired).toEqual([]);
    expect(second.kernel.healthBook.plugin('throws').level).toBe('failing');
    await second.remove();
    await first.remove();
  });

  it.each([
    ['by its manifest as it was last', { former: [{ ...former, vital: true }] }],
    ['by the operator’s word', { allowed: true }],
  ] as const)('stops the start where the host cannot do without it, %s', async (_whose, options) => {
    const bed = bedWith(options);
    await expect(bed.kernel.boot()).rejects.toThrow('PB-WORKER-NOT-LOADED');
    await bed.remove();
  });
});

describe('a stop that comes early', () => {
  it('keeps a boot that is still loading from constructing anything', async () => {
    const bed = kernelBed([Wires]);
    const boot = bed.kernel.boot();
    await bed.kernel.stop();
    await expect(boot).rejects.toThrow('PB-STOPPING');
    expect(bed.kernel.bootTree()).toEqual([]);
    await bed.remove();
  });
});

describe('a required plugin that does not start', () => {
  it('keeps every port shut, by name, until it does', async () => {
    @plugin({ id: 'wall', summary: 'Walls', sdk: '^1.0.0', onFailure: 'degrade', required: true })
    class Wall implements Plugin {
      start(): void {
        throw new Error('no rules can be loaded');
      }
    }
    const bed = kernelBed([Wires, Wall]);
    await bed.kernel.boot();
    const { value } = await bed.kernel.announcer.event('vif tap1', (calls) => calls.beforePortBind(DRAFT));
    expect(value).toMatchObject({
      by: 'wall',
      retry: true,
      refused: expect.stringContaining('PB-REQUIRED-DOWN: wall'),
    });
    expect(bed.kernel.health().level).toBe('failing');
    await bed.remove();
  });
});

describe('a plugin whose manifest requires what nobody gives', () => {
  @plugin({ id: 'wanting', summary: 'Wants', sdk: '^1.0.0', onFailure: 'degrade', requires: ['nobody'] })
  class Wanting implements Plugin {}
  @plugin({ id: 'working', summary: 'Works', sdk: '^1.0.0', onFailure: 'abort' })
  class Working implements Plugin {}

  it('fails by name, and the others run', async () => {
    const bed = kernelBed([Wanting, Working]);
    await bed.kernel.boot();
    const phases = bed.kernel
      .plugins()
      .map(({ id, phase, failure }) => [id, phase, failure?.includes('nobody') ?? false]);
    expect(phases).toEqual([
      ['wanting', 'failed', true],
      ['working', 'running', false],
    ]);
    await bed.remove();
  });
});
