import { type Announcer, type Health, type Logger, reasonOf, type SwitchView } from '@patchbay/sdk';

export interface ListenerGuard {
  readonly health: Health;
  readonly logger: Logger;
}

/** The listener, so that what it throws or rejects with is its plugin's and nobody else's. */
function guarded<Args extends readonly unknown[]>(
  what: string,
  listener: (...args: Args) => unknown,
  { health, logger }: ListenerGuard,
): (...args: Args) => void {
  const condition = `listener ${what}`;
  let fails = false;
  const tell = async (...args: Args): Promise<void> => {
    try {
      await listener(...args);
      if (fails) health.clear(condition);
      fails = false;
    } catch (thrown) {
      const reason = reasonOf(thrown);
      fails = true;
      logger.error('A listener failed', { what, reason });
      health.report(condition, 'degraded', reason);
    }
  };
  return (...args) => void tell(...args);
}

/** The switch view of one plugin. */
export function guardedView(view: SwitchView, guard: ListenerGuard): SwitchView {
  return {
    summary: () => view.summary(),
    bridges: () => view.bridges(),
    ports: (bridge) => view.ports(bridge),
    flows: (bridge, tables, priorities) => view.flows(bridge, tables, priorities),
    ...(view.connections === undefined
      ? {}
      : { connections: (zone: number) => view.connections?.(zone) ?? Promise.resolve([]) }),
    watch: (listener) => view.watch(guarded('switchView.watch', listener, guard)),
  };
}

/** The announcer of one plugin. */
export function guardedAnnouncer(announcer: Announcer, guard: ListenerGuard): Announcer {
  return {
    event: (cause, act) => announcer.event(cause, act),
    onProgress: (listener) => announcer.onProgress(guarded('announcer.onProgress', listener, guard)),
  };
}
