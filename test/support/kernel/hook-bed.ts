import type { AgentHooks, PatchbayError } from '@patchbay/sdk';
import { EventContext } from '../../../core/kernel/event-context';
import { TapMarker } from '../../../core/kernel/hooks/marker';
import { HOOK_SETTINGS, type HookSettings } from '../../../core/kernel/hooks/options';
import { HookTable } from '../../../core/kernel/hooks/table';
import { RecordingLog } from './recording-logger';

/** The taps of a test's plugins, with short budgets and a clock that the test moves. */
export interface HookBed {
  readonly table: HookTable;
  readonly log: RecordingLog;
  readonly conditions: Map<string, PatchbayError>;
  /** Taps as a plugin would. */
  readonly tap: (plugin: string, taps: (hooks: AgentHooks) => void) => void;
  readonly advance: (ms: number) => void;
}

export function hookBed(
  plugins: readonly string[],
  options: { required?: readonly string[]; settings?: Partial<HookSettings>; standIns?: [string, string][] } = {},
): HookBed {
  const log = new RecordingLog();
  const conditions = new Map<string, PatchbayError>();
  let now = 0;
  const table = new HookTable({
    context: new EventContext(),
    marker: new TapMarker(),
    settings: { ...HOOK_SETTINGS, budgetsMs: { before: 20, on: 20, resolve: 20, contribute: 20 }, ...options.settings },
    loggerOf: log.for,
    isRequired: (plugin) => (options.required ?? []).includes(plugin),
    condition: (plugin, name, error) => {
      if (error === null) conditions.delete(`${plugin} ${name}`);
      else conditions.set(`${plugin} ${name}`, error);
    },
    knownPlugins: new Set(plugins),
    standIns: new Map(options.standIns),
    now: () => now,
  });
  return {
    table,
    log,
    conditions,
    tap: (plugin, taps) => taps(table.hooksFor(plugin)),
    advance: (ms) => {
      now += ms;
    },
  };
}
