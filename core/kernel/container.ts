import 'reflect-metadata';
import { type Manifest, manifestOf, type Plugin, type PluginClass, reasonOf, type Token } from '@patchbay/sdk';
import { type DependencyContainer, container as globalContainer } from 'tsyringe';
import { KernelError } from './errors';
import { suggestion } from './nearest';

/** Makes the services that each plugin has one of, by token name. */
export type PluginServices = Readonly<Record<string, () => unknown>>;

/** Whom to name when a token is missing: token name → ids of plugins whose manifest provides it. */
export type KnownProviders = ReadonlyMap<string, readonly string[]>;

/** The services of the agent, and a scope of their own for each plugin. */
export class Services {
  // A child even of the global container would see what libraries registered there under the same names; ours all start with `patchbay:`.
  private readonly root: DependencyContainer = globalContainer.createChildContainer();
  private readonly agentTokens = new Set<string>();
  private readonly handedOver = new Map<string, { readonly by: string; readonly value: unknown }>();

  constructor(private readonly knownProviders: KnownProviders = new Map()) {}

  /** Binds a service of the agent to an instance that exists already, so that no plugin's scope can leak into it. */
  bindAgent<T>(token: Token<T>, instance: T): void {
    const name = token.toString();
    if (this.agentTokens.has(name)) {
      throw KernelError.secondProvider({ token: token.name, first: 'the agent', second: 'the agent' });
    }
    this.agentTokens.add(name);
    this.root.register(name, { useValue: instance });
  }

  /** Hands over a service that a plugin provides. */
  bind<T>(provider: Manifest, token: Token<T>, value: T): void {
    const name = token.toString();
    const declared = (provider.provides ?? []).some((own) => own.toString() === name);
    if (!declared) throw KernelError.undeclaredProvision({ plugin: provider.id, token: token.name });
    const earlier = this.agentTokens.has(name) ? 'the agent' : this.handedOver.get(name)?.by;
    if (earlier !== undefined && earlier !== provider.replaces) {
      throw KernelError.secondProvider({ token: token.name, first: earlier, second: provider.id });
    }
    if (earlier === undefined) this.root.register(name, { useFactory: () => this.handedOver.get(name)?.value });
    this.handedOver.set(name, { by: provider.id, value });
  }

  providerOf(token: Token<unknown>): string | undefined {
    return this.handedOver.get(token.toString())?.by;
  }

  /** What a plugin handed over, for the agent's own use. */
  provided<T>(token: Token<T>): T | undefined {
    return this.handedOver.get(token.toString())?.value as T | undefined;
  }

  /** The service of that name which the agent has or a plugin provided, for those who ask by name. */
  named(name: string): unknown {
    return this.root.resolve(`patchbay:${name}`);
  }

  /** Makes a plugin in a scope of its own. Services of the plugin are made once, when first asked for. */
  construct(plugin: PluginClass, services: PluginServices): Plugin {
    const id = manifestOf(plugin)?.id ?? plugin.name;
    const scope = this.root.createChildContainer();
    for (const [name, make] of Object.entries(services)) {
      scope.register(`patchbay:${name}`, { useFactory: once(make) });
    }
    constructorTokens(plugin).forEach((token, position) => {
      if (token === undefined) throw KernelError.parameterWithoutToken({ plugin: id, position });
      if (!scope.isRegistered(token, true)) {
        throw KernelError.missingToken({ plugin: id, token: shortName(token), position, hint: this.hint(token) });
      }
    });
    try {
      return scope.resolve<Plugin>(plugin);
    } catch (thrown) {
      if (/TypeInfo not known/.test(reasonOf(thrown))) throw KernelError.foreignContainer({ plugin: id }, thrown);
      throw thrown;
    }
  }

  private hint(token: string): string {
    const providers = this.knownProviders.get(shortName(token)) ?? [];
    if (providers.length > 0) {
      return `${providers.join(' or ')} could provide it: put it on the plugin list, and the token under \`requires\``;
    }
    const known = [...this.knownProviders.keys(), ...[...this.agentTokens].map(shortName)];
    return suggestion(shortName(token), known);
  }
}

/**
 * The tokens that a plugin's constructor asks for, by position; undefined where a parameter names none.
 * Read from what decorators left on the class: nothing of the plugin runs.
 */
export function constructorTokens(plugin: PluginClass): readonly (string | undefined)[] {
  // Both keys are tsyringe's: the second is what @inject writes.
  const types: unknown = Reflect.getMetadata('design:paramtypes', plugin) ?? [];
  const injected: unknown = Reflect.getOwnMetadata('injectionTokens', plugin) ?? {};
  const named = injected as Readonly<Record<number, unknown>>;
  const positions = Math.max(plugin.length, Array.isArray(types) ? types.length : 0);
  return Array.from({ length: positions }, (_, position) => tokenName(named[position]));
}

function tokenName(injected: unknown): string | undefined {
  if (typeof injected === 'string') return injected;
  if (typeof injected !== 'object' || injected === null || !('token' in injected)) return undefined;
  return typeof injected.token === 'string' ? injected.token : undefined;
}

function shortName(token: string): string {
  return token.replace(/^patchbay:/, '');
}

function once(make: () => unknown): () => unknown {
  let made: { readonly value: unknown } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
