import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { OpenFlowTarget } from './openflow';
import type { AwaitAnswer } from './reconciler/links';

/**
 * Tells when the management socket of a bridge is made, as by an ovs-vswitchd that was started anew: whoever waits for it need not
 * try at intervals. A bridge elsewhere than on a socket in the file system, and a folder that is not there, give no sign.
 */
export function awaitSocketOf(targetOf: (bridge: string) => OpenFlowTarget): AwaitAnswer {
  return (bridge, mayAnswer) => {
    const target = targetOf(bridge);
    if (target.kind !== 'unix') return () => undefined;
    const name = basename(target.path);
    let watcher: FSWatcher;
    try {
      watcher = watch(dirname(target.path), { persistent: false }, (_event, file) => {
        if (file === name) mayAnswer();
      });
    } catch {
      return () => undefined;
    }
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  };
}
