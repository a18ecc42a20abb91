import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Action, type Flow, type Match, parseFlow, parseFlows, printFlow, protocol } from '@patchbay/sdk/flow';
import * as fc from 'fast-check';
import { canonicalFlow, InstalledFlow } from '../../../core/switch/openflow';
import { writeMod } from '../../../core/switch/openflow/messages/encode-mods';
import { matchBounds } from '../../../core/switch/openflow/wire/oxm';
import { WireWriter } from '../../../core/switch/openflow/wire/writer';

const none = () => undefined;
const octet = fc.integer({ min: 0, max: 255 });
const word = fc.integer({ min: 0, max: 0xffffffff });
const port16 = fc.integer({ min: 0, max: 0xffff });
const mac = fc
  .array(octet, { minLength: 6, maxLength: 6 })
  .map((bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':'));
const ipv4 = fc.tuple(octet, octet, octet, octet).map((bytes) => bytes.join('.'));
const prefix = fc.tuple(ipv4, fc.integer({ min: 1, max: 32 })).map(([address, length]) => `${address}/${length}`);
const masked = (bits: fc.Arbitrary<number>) =>
  fc.oneof(bits, fc.record({ value: bits, mask: bits.filter((mask) => mask !== 0) }));

const transport = fc.oneof(
  fc
    .record({ tcp_src: masked(port16), tcp_dst: port16 }, { requiredKeys: [] })
    .map((ports) => ({ ...protocol.tcp, ...ports })),
  fc.record({ udp_dst: masked(port16) }, { requiredKeys: [] }).map((ports) => ({ ...protocol.udp6, ...ports })),
  fc
    .record({ ip_src: prefix, ip_dst: ipv4 }, { requiredKeys: [] })
    .map((addresses) => ({ ...protocol.ip, ...addresses })),
  fc
    .record({ arp_spa: prefix, arp_op: fc.constantFrom(1, 2) }, { requiredKeys: [] })
    .map((addresses) => ({ ...protocol.arp, ...addresses })),
  fc.constant({}),
);
const common = fc.record(
  {
    in_port: fc.integer({ min: 1, max: 0xfeff }),
    dl_vlan: fc.integer({ min: 0, max: 4095 }),
    eth_src: mac,
    eth_dst: fc.record({ value: mac, mask: fc.constant('01:00:00:00:00:00') }),
    reg5: masked(word),
    reg6: word,
    metadata: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    tun_id: word,
    ct_state: fc.constantFrom('+trk', '+est-rel-rpl', '-new+trk'),
    ct_mark: masked(word),
    pkt_mark: word,
  },
  { requiredKeys: [] },
);
const seconds = fc.integer({ min: 1, max: 0xffff });
const bits = (field: 'reg4' | 'metadata', width: number) =>
  fc
    .tuple(fc.integer({ min: 0, max: width - 1 }), fc.integer({ min: 0, max: width - 1 }))
    .map(([one, other]) => ({ field, from: Math.min(one, other), to: Math.max(one, other) }));
const plainAction: fc.Arbitrary<Action> = fc.oneof(
  fc.integer({ min: 1, max: 0xfeff }).map((port): Action => ({ type: 'output', port })),
  word.map((value): Action => ({ type: 'set_field', field: 'reg7', value })),
  fc
    .tuple(
      word,
      word.filter((mask) => mask !== 0),
    )
    .map(([value, mask]): Action => ({ type: 'set_field', field: 'reg3', value, mask })),
  mac.map((value): Action => ({ type: 'set_field', field: 'eth_src', value })),
  fc.integer({ min: 0, max: 254 }).map((table): Action => ({ type: 'resubmit', table })),
  fc
    .integer({ min: 0, max: 0xffff })
    .map((value): Action => ({ type: 'load', value, target: { field: 'reg1', from: 4, to: 19 } })),
  fc.constant<Action>({
    type: 'move',
    source: { field: 'reg1', from: 0, to: 15 },
    target: { field: 'reg2', from: 16, to: 31 },
  }),
  fc.constant<Action>({ type: 'ct_clear' }),
  fc.array(port16, { minLength: 1, maxLength: 5 }).map((controllerIds): Action => ({ type: 'dec_ttl', controllerIds })),
  bits('reg4', 32).map((source): Action => ({ type: 'push', source })),
  bits('metadata', 64).map((target): Action => ({ type: 'pop', target })),
  fc
    .tuple(port16, fc.integer({ min: 0, max: 31 }))
    .map(
      ([length, bit]): Action => ({ type: 'check_pkt_larger', length, target: { field: 'reg8', from: bit, to: bit } }),
    ),
  fc
    .record({ idleTimeout: seconds, hardTimeout: seconds }, { requiredKeys: [] })
    .map((timeouts): Action => ({ type: 'fin_timeout', ...timeouts })),
  fc.integer({ min: 0, max: 0xffff }).map((maxLength): Action => ({ type: 'controller', maxLength })),
);
const action = fc.oneof(
  { weight: 12, arbitrary: plainAction },
  {
    weight: 1,
    arbitrary: fc.array(plainAction, { maxLength: 3 }).map((actions): Action => ({ type: 'clone', actions })),
  },
);
/** Those that the switch takes with the match. */
function meaningful(actions: readonly Action[], match: Match): readonly Action[] {
  const isIp = match.eth_type === protocol.ip.eth_type || match.eth_type === protocol.tcp6.eth_type;
  return actions.flatMap((one): Action[] => {
    if (one.type === 'dec_ttl' && !isIp) return [];
    if (one.type === 'fin_timeout' && match.nw_proto !== protocol.tcp.nw_proto) return [];
    return one.type === 'clone' ? [{ ...one, actions: meaningful(one.actions, match) }] : [one];
  });
}

const anyFlow: fc.Arbitrary<Flow> = fc
  .record({
    table: fc.integer({ min: 0, max: 250 }),
    priority: port16,
    match: fc.tuple(transport, common).map(([first, second]) => ({ ...first, ...second })),
    actions: fc.array(action, { maxLength: 5 }),
    idleTimeout: fc.integer({ min: 1, max: 0xffff }),
  })
  .map((parts) => ({ bridge: 'br0', ...parts, actions: meaningful(parts.actions, parts.match) }));

function wire(flow: Flow): Buffer {
  const writer = new WireWriter();
  writeMod(writer, 5, 1, { kind: 'flow', command: 'add', flow, cookie: 0n }, none);
  return writer.take();
}

test('a flow printed and read again is the same flow', () => {
  fc.assert(
    fc.property(anyFlow, (flow) => {
      expect(canonicalFlow(parseFlow('br0', printFlow(flow)), none)).toEqual(canonicalFlow(flow, none));
    }),
    { numRuns: 300 },
  );
});

test('a flow encoded and decoded is the same flow', () => {
  fc.assert(
    fc.property(anyFlow, (flow) => {
      const bytes = wire(flow);
      const match = matchBounds(bytes, 48);
      const head = {
        ...flow,
        cookie: 0n,
        hardTimeout: 0,
        idleTimeout: flow.idleTimeout ?? 0,
        flags: 0,
      };
      const installed = new InstalledFlow(head, {
        bytes,
        matchFrom: match.from,
        matchTo: match.to,
        instructionsFrom: match.end,
        instructionsTo: bytes.length,
      });
      expect({ key: installed.key, body: installed.body }).toEqual(canonicalFlow(flow, none));
      expect(canonicalFlow(installed.decode(), none)).toEqual(canonicalFlow(flow, none));
    }),
    { numRuns: 300 },
  );
});

test('ovs-ofctl reads every encoded flow as the flow it was', () => {
  const flows = fc.sample(anyFlow, { numRuns: 500, seed: 7 });
  const directory = mkdtempSync(join(tmpdir(), 'patchbay-ofp-print-'));
  try {
    const stream = join(directory, 'stream');
    writeFileSync(stream, Buffer.concat(flows.map(wire)));
    const printed = execFileSync('ovs-ofctl', ['-O', 'OpenFlow14', 'ofp-parse', stream], { encoding: 'utf8' });
    const lines = printed.split('\n').filter((line) => line.includes('FLOW_MOD'));
    expect(lines).toHaveLength(flows.length);
    const text = lines.map((line) =>
      line
        .replace(
          /^.*FLOW_MOD \(OF1\.4\) \(xid=[^)]*\):( \*\*\*)? ADD (table:(\d+) )?/,
          (_all, _stars, _table, table) => `table=${table ?? 0} `,
        )
        .replace(/idle:(\d+)/, 'idle_timeout=$1')
        .replace(/cookie:\S+/, ''),
    );
    const read = parseFlows('br0', text.join('\n'));
    expect(read.map(({ flow }) => canonicalFlow(flow, none))).toEqual(flows.map((flow) => canonicalFlow(flow, none)));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
