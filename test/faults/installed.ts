import type { Host } from '../support/bed';
import { withFloodByName } from '../support/bed-rows';
import type { AgentKind } from './stage';

const BRIDGES = ['br-int', 'br-tun', 'br-ex'] as const;

/** When a flow was written, in seconds of the monotonic clock: its age is told at some moment of the dump, however long that takes. */
interface Birth {
  readonly earliest: number;
  readonly latest: number;
}

/** Flows of the agent's bridges: bridge, cookie, match and actions, and since when each has been there. */
export type Installed = ReadonlyMap<string, Birth>;

/** Learned flows come and go with the traffic and are nobody's. */
const LEARNED = / table=20, hard_timeout=300/;

export async function installedOn(host: Host): Promise<Installed> {
  const flows = new Map<string, Birth>();
  for (const bridge of BRIDGES) {
    const begin = performance.now() / 1000;
    const dump = await host.ofctl('--names', 'dump-flows', bridge).catch(() => '');
    const end = performance.now() / 1000;
    for (const line of dump.split('\n')) {
      const [, cookie, duration, rest] = /^ cookie=(\S+), duration=([\d.]+)s, (.*)$/.exec(line) ?? [];
      const text = rest?.replace(/(n_packets|n_bytes|idle_age|hard_age)=\d+, /g, '') ?? '';
      if (text === '' || LEARNED.test(` ${text}`)) continue;
      flows.set(`${bridge} ${cookie} ${text}`, { earliest: begin - Number(duration), latest: end - Number(duration) });
    }
  }
  return flows;
}

/** The switch reads its clock now and then, and tells ages to the millisecond. */
const SAME_BIRTH_S = 0.05;

/** Flows that came, went, or were written again. */
export function changedBetween(before: Installed, after: Installed): number {
  const gone = [...before.keys()].filter((flow) => !after.has(flow)).length;
  const written = [...after].filter(
    ([flow, { earliest }]) => earliest > (before.get(flow)?.latest ?? Number.NEGATIVE_INFINITY) + SAME_BIRTH_S,
  );
  return gone + written.length;
}

/** The reference agent draws a cookie and counts conjunctions anew with every start, and loads the latter into register 7 besides. */
const DRAWN_ANEW = /(conjunction\(|conj_id=|set_field:(?=\w+->reg7)|cookie=)(0x[0-9a-f]+|\d+)/g;

/** Flows, whoever's cookie they bear, that are in one and not in the other: `-` went, `+` came. */
export function differences(left: Installed, right: Installed, kind: AgentKind): readonly string[] {
  const same = (flow: string) =>
    kind === 'reference' ? withFloodByName(flow).replace(DRAWN_ANEW, '$1…') : withFloodByName(flow);
  const plain = (installed: Installed) =>
    new Set([...installed.keys()].map((flow) => same(flow.replace(/ 0x[0-9a-f]+ /, ' '))));
  const [before, after] = [plain(left), plain(right)];
  return [
    ...[...before].filter((flow) => !after.has(flow)).map((flow) => `- ${flow}`),
    ...[...after].filter((flow) => !before.has(flow)).map((flow) => `+ ${flow}`),
  ];
}
