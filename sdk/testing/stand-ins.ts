import { manifestOf, type Plugin, type PluginClass, type Provide, plugin, type Token } from '@patchbay/sdk';

/** A plugin that provides the fakes whose tokens no plugin of the test provides, if there are any. */
export function standIns(
  plugins: readonly PluginClass[],
  fakes: readonly (readonly [token: Token<unknown>, fake: unknown])[],
): readonly PluginClass[] {
  const provided = new Set(plugins.flatMap((one) => manifestOf(one)?.provides ?? []).map(({ name }) => name));
  const missing = fakes.filter(([token]) => !provided.has(token.name));
  if (missing.length === 0) return [];
  class Fakes implements Plugin {
    provide(provide: Provide): void {
      for (const [token, value] of missing) provide<unknown>(token, value);
    }
  }
  plugin({
    id: 'kit-fakes',
    summary: 'Stands in for the control plane in a test',
    sdk: '^1.0.0',
    provides: missing.map(([token]) => token),
    onFailure: 'abort',
  })(Fakes);
  return [Fakes];
}
