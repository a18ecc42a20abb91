import {
  type Logger,
  manifestOf,
  type Plugin,
  type PluginClass,
  plugin,
  providedToken,
  Service,
  use,
} from '@patchbay/sdk';
import { container as globalContainer, inject, injectable, Lifecycle } from 'tsyringe';
import { constructorTokens, Services } from '../../../core/kernel/container';
import { RecordingLog } from '../../support/kernel/recording-logger';

const clock = providedToken<string>('clock');

@plugin({ id: 'reader', summary: 'Reads', sdk: '^1.0.0', onFailure: 'abort' })
class Reader implements Plugin {
  constructor(
    @use(Service.logger) readonly logger: Logger,
    @use(clock) readonly time: string,
  ) {}
  tap(): void {}
}

@plugin({ id: 'chronos', summary: 'Tells the time', sdk: '^1.0.0', onFailure: 'abort', provides: [clock] })
class Chronos implements Plugin {}

@plugin({ id: 'kairos', summary: 'Tells the time', sdk: '^1.0.0', onFailure: 'abort', provides: [clock] })
class Kairos implements Plugin {}

@plugin({ id: 'atomic', summary: 'Time', sdk: '^1.0.0', onFailure: 'abort', provides: [clock], replaces: 'chronos' })
class Atomic implements Plugin {}

function manifest(cls: PluginClass) {
  const found = manifestOf(cls);
  if (found === undefined) throw new Error('no manifest');
  return found;
}

const log = new RecordingLog();
const own = { logger: () => log.for('reader') };

describe('the service container', () => {
  it('gives a plugin its own services and what another provides', () => {
    const services = new Services();
    services.bind(manifest(Chronos), clock, 'noon');
    expect(services.construct(Reader, own)).toMatchObject({ time: 'noon' });
  });

  it('makes a service of the plugin once and only when it is asked for', () => {
    const services = new Services();
    services.bind(manifest(Chronos), clock, 'noon');
    const jobs = jest.fn();
    services.construct(Reader, { ...own, jobs });
    expect(jobs).not.toHaveBeenCalled();
  });

  it('names the plugin, the token, the position and who could provide it when a token is missing', () => {
    const services = new Services(new Map([['clock', ['chronos', 'kairos']]]));
    expect(() => services.construct(Reader, own)).toThrow(
      'PB-MISSING-TOKEN: reader asks for clock at position 1 of its constructor and nobody provides it; chronos or kairos could provide it',
    );
  });

  it('refuses a second provider instead of silently taking the last', () => {
    const services = new Services();
    services.bind(manifest(Chronos), clock, 'noon');
    expect(() => services.bind(manifest(Kairos), clock, 'midnight')).toThrow('PB-SECOND-PROVIDER');
    expect(services.construct(Reader, own)).toMatchObject({ time: 'noon' });
  });

  it('takes a second provider whose manifest says that it replaces the first', () => {
    const services = new Services();
    services.bind(manifest(Chronos), clock, 'noon');
    services.bind(manifest(Atomic), clock, 'exactly noon');
    expect(services.construct(Reader, own)).toMatchObject({ time: 'exactly noon' });
  });

  it('refuses a token that the manifest does not name', () => {
    expect(() => new Services().bind(manifest(Reader), clock, 'noon')).toThrow('PB-UNDECLARED-PROVISION');
  });

  it('refuses to bind a service of the agent twice', () => {
    const services = new Services();
    services.bindAgent(Service.identity, {} as never);
    expect(() => services.bindAgent(Service.identity, {} as never)).toThrow('PB-SECOND-PROVIDER');
  });

  it('leaves nothing in the global container', () => {
    const services = new Services();
    services.bind(manifest(Chronos), clock, 'noon');
    services.construct(Reader, own);
    expect(globalContainer.isRegistered(clock.toString())).toBe(false);
    expect(globalContainer.isRegistered(Service.logger.toString())).toBe(false);
  });

  it('keeps one plugin’s services out of what the next one gets', () => {
    const services = new Services();
    services.bind(manifest(Chronos), clock, 'noon');
    const first = services.construct(Reader, { logger: () => 'first' });
    const second = services.construct(Reader, { logger: () => 'second' });
    expect([first, second]).toMatchObject([{ logger: 'first' }, { logger: 'second' }]);
  });

  it('says which parameter names no service', () => {
    class Bare implements Plugin {
      constructor(readonly something: string) {}
      tap(): void {}
    }
    plugin({ id: 'bare', summary: 'Bare', sdk: '^1.0.0', onFailure: 'abort' })(Bare);
    expect(() => new Services().construct(Bare, own)).toThrow(
      'PB-PARAMETER-WITHOUT-TOKEN: parameter 0 of the constructor of bare names no service',
    );
  });

  it('says that a class was marked by another copy of tsyringe', () => {
    class Foreign implements Plugin {
      constructor(readonly logger: Logger) {}
      tap(): void {}
    }
    // What another copy leaves: metadata, which is global, and nothing in this copy's table of types.
    Reflect.defineMetadata('design:paramtypes', [Object], Foreign);
    Reflect.defineMetadata('injectionTokens', { 0: Service.logger.toString() }, Foreign);
    expect(() => new Services().construct(Foreign, own)).toThrow('PB-SECOND-TSYRINGE: Foreign');
  });

  it('reads constructor tokens without running anything of the plugin', () => {
    expect(constructorTokens(Reader)).toEqual(['patchbay:logger', 'patchbay:clock']);
  });
});

describe('the traps of tsyringe that the container steers clear of', () => {
  it('a root singleton first resolved from a child captures the child’s services', () => {
    class Holder {
      constructor(readonly name: string) {}
    }
    inject('name')(Holder, undefined, 0);
    injectable()(Holder);
    const root = globalContainer.createChildContainer();
    root.register('name', { useValue: 'root' });
    root.register(Holder, Holder, { lifecycle: Lifecycle.Singleton });
    const child = root.createChildContainer();
    child.register('name', { useValue: 'child' });
    child.resolve(Holder);
    expect(root.resolve(Holder).name).toBe('child');
  });

  it('registering twice appends, and resolve takes the last', () => {
    const root = globalContainer.createChildContainer();
    root.register('twice', { useValue: 1 }).register('twice', { useValue: 2 });
    expect([root.resolve('twice'), root.resolveAll('twice')]).toEqual([2, [1, 2]]);
  });

  it('resolveAll in a child shadows the parent’s', () => {
    const root = globalContainer.createChildContainer();
    const child = root.createChildContainer();
    root.register('all', { useValue: 'root' });
    child.register('all', { useValue: 'child' });
    expect(child.resolveAll('all')).toEqual(['child']);
  });
});
