import type { Flow } from '@patchbay/sdk';
import { byEffect, flowsOf, inventedNumbers, numbersOf, type PortNumbers } from './flows';
import type { Kit } from './kit';

interface Verdict {
  readonly pass: boolean;
  readonly message: () => string;
}

/** Compares flows by what they do, whatever their notation and order. */
function compare(what: string, actual: readonly Flow[], expected: readonly Flow[], numbers: PortNumbers): Verdict {
  const have = byEffect(actual, numbers);
  const want = byEffect(expected, numbers);
  const missing = [...want].flatMap(([key, text]) => (have.has(key) ? [] : [`- ${text}`]));
  const surplus = [...have].flatMap(([key, text]) => (want.has(key) ? [] : [`+ ${text}`]));
  const pass = missing.length + surplus.length === 0;
  const lines = pass ? [...want.values()] : [...missing, ...surplus];
  return {
    pass,
    message: () =>
      [`${what} ${pass ? 'exactly these flows' : 'other flows (- expected, + found)'}:`, ...lines].join('\n'),
  };
}

export const matchers = {
  toWantFlows(kit: Kit, bridge: string, text: string): Verdict {
    const what = `${kit.plugin} wants on ${bridge}`;
    return compare(what, kit.wantedFlows(bridge), flowsOf(bridge, text), inventedNumbers());
  },

  async toHaveFlows(kit: Kit, bridge: string, text: string): Promise<Verdict> {
    const numbers = numbersOf(await kit.switch.view.ports(bridge));
    const what = `the switch has of ${kit.plugin} on ${bridge}`;
    return compare(what, await kit.installedFlows(bridge), flowsOf(bridge, text), numbers);
  },

  toHaveHealth(kit: Kit, level: string): Verdict {
    const health = kit.health();
    const conditions = health.conditions.map(({ condition, detail }) => `  ${condition}: ${detail}`);
    return {
      pass: health.level === level,
      message: () => [`the health of ${kit.plugin} is ${health.level}`, ...conditions].join('\n'),
    };
  },
};

declare global {
  namespace jest {
    interface Matchers<R> {
      /**
       * The plugin under test wants exactly these flows on the bridge. They are written as ovs-ofctl does, one a line, ports by name:
       * `expect(kit).toWantFlows('br-int', 'table=60,priority=5,in_port="tap-port-1" actions=drop')`. An empty text: none.
       */
      toWantFlows(bridge: string, text: string): R;
      /** The switch itself has exactly these flows of the plugin. Await it. */
      toHaveFlows(bridge: string, text: string): Promise<R>;
      toHaveHealth(level: 'unknown' | 'ok' | 'degraded' | 'failing'): R;
    }
  }
}

const { expect } = globalThis as { readonly expect?: { extend(more: typeof matchers): void } };
expect?.extend(matchers);
