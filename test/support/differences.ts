/**
 * Where the switch looks otherwise than under the reference agent (Neutron 21, Zed), for the same scenario and the same ini files. All
 * else is equal: flows without cookies, and the rows' columns that an agent decides. docs/differences.md is made from this list.
 */
export interface Difference {
  readonly title: string;
  readonly reason: string;
  /**
   * Lines of the two switches, as {@link linesOf} writes them. `<word>` stands for anything, the same on both sides. Without `patchbay` the
   * line is not there with Patchbay, without `reference` not with the reference agent.
   */
  readonly lines: readonly { readonly reference?: string; readonly patchbay?: string }[];
}

const pair = (reference: string, patchbay: string) => ({ reference, patchbay });

export const DIFFERENCES: readonly Difference[] = [
  {
    title: 'br-int is closed by default',
    reason:
      'The classifier ends in a drop, and a port sends only where a flow admits it, so that nothing leaves a port before it is wired (adr/closed-by-default.md).',
    lines: [
      pair('br-int priority=0 actions=goto_table:59', 'br-int priority=0 actions=drop'),
      { patchbay: 'br-int priority=1,in_port="patch-tun" actions=goto_table:58' },
      { patchbay: 'br-int priority=1,in_port="<port>",vlan_tci=0x0000/0x0fff actions=goto_table:58' },
    ],
  },
  {
    title: 'Ports send frames without a VLAN id only',
    reason:
      "A frame that a guest tagged is not let to anti-spoofing's tables, which lead on to NORMAL: before the port has its tag, NORMAL would carry it into the VLAN of the guest's choosing.",
    lines: [
      pair(
        'br-int priority=9,in_port="<port>" actions=goto_table:25',
        'br-int priority=9,in_port="<port>",vlan_tci=0x0000/0x0fff actions=goto_table:25',
      ),
      pair(
        'br-int priority=10,arp,in_port="<port>" actions=goto_table:24',
        'br-int priority=10,arp,in_port="<port>",vlan_tci=0x0000/0x0fff actions=goto_table:24',
      ),
      pair(
        'br-int priority=10,icmp6,in_port="<port>",icmp_type=136 actions=goto_table:24',
        'br-int priority=10,icmp6,in_port="<port>",vlan_tci=0x0000/0x0fff,icmp_type=136 actions=goto_table:24',
      ),
    ],
  },
  {
    title: 'A tag behind a priority tag goes nowhere',
    reason:
      "OVS takes a frame with VLAN id 0 for untagged and strips that tag. On a flat network the guest's second tag would then be in force on the provider's wire, in a VLAN of its choosing.",
    lines: [{ patchbay: 'br-int priority=65535,dl_vlan=0,dl_type=<a tag> actions=drop' }],
  },
  {
    title: 'Admitted frames enter at table 58',
    reason:
      'Later releases of Neutron have packet rate limits in table 58 and bandwidth limits in 59, where Zed has packet rate limits in 59. Passing both meets flows for either.',
    lines: [
      { patchbay: 'br-int table=58, priority=0 actions=goto_table:59' },
      pair(
        'br-int table=<local IP table>, priority=0 actions=goto_table:59',
        'br-int table=<local IP table>, priority=0 actions=goto_table:58',
      ),
      pair(
        'br-int priority=3,in_port="int-br-ex",<segment> actions=<tag>->vlan_vid,goto_table:59',
        'br-int priority=3,in_port="int-br-ex",<segment> actions=<tag>->vlan_vid,goto_table:58',
      ),
      pair(
        'br-int table=24, priority=2,icmp6,in_port="<port>",icmp_type=136,nd_target=<address> actions=goto_table:59',
        'br-int table=24, priority=2,icmp6,in_port="<port>",icmp_type=136,nd_target=<address> actions=goto_table:58',
      ),
    ],
  },
  {
    title: 'Learned flows have a cookie of their own',
    reason:
      'They are told from those that the agent wrote, so a restart keeps them, and they are deleted where what they were learned from goes (adr/learned-flows.md).',
    lines: [
      pair(
        'br-tun table=10, priority=1 actions=learn(table=20,hard_timeout=300,priority=1,cookie=<random>,NXM<rest>',
        'br-tun table=10, priority=1 actions=learn(table=20,hard_timeout=300,priority=1,cookie=0x5061746300000000,NXM<rest>',
      ),
    ],
  },
  {
    title: 'A port that was never up is on the dead VLAN too',
    reason:
      'The reference agent moves a port whose administrative state is down to VLAN 4095 only if it has a tag. One plugged while it is down stays an untagged trunk port.',
    lines: [pair('Port <port> tag=none', 'Port <port> tag=4095')],
  },
  {
    title: 'The controller is a socket that nobody serves',
    reason:
      "OVS empties a bridge's tables when its last controller goes, so the bridges keep one; but whoever can listen on 127.0.0.1:6633 would own the switch. Provider bridges that have none get none. Patchbay speaks to the bridge's management socket.",
    lines: [
      pair('Bridge <bridge> controller=tcp:127.0.0.1:6633', 'Bridge <bridge> controller=unix:patchbay-none'),
      pair('Bridge br-ex controller=tcp:127.0.0.1:6633', 'Bridge br-ex controller=none'),
      { reference: 'Controller tcp:127.0.0.1:6633 <column>' },
      { patchbay: 'Controller unix:patchbay-none <column>' },
    ],
  },
  {
    title: 'In-band control is off',
    reason:
      'As in later releases of Neutron: flows that OVS adds for reaching a controller are in no table that an agent can see. Zed says the same in the Controller row.',
    lines: [{ patchbay: 'Bridge <bridge> other_config:disable-in-band=true' }],
  },
  {
    title: "br-tun keeps OVS' own size of the MAC table",
    reason: 'No flow of br-tun uses NORMAL, so it has nothing to learn there.',
    lines: [{ reference: 'Bridge br-tun other_config:mac-table-size=50000' }],
  },
  {
    title: 'Multicast snooping is set as by later releases',
    reason:
      'Nothing of it matters until igmp_snooping_enable is set. Then, as in Neutron 2024.2 and later, the options igmp_flood, igmp_flood_reports and igmp_flood_unregistered count; their defaults are those of these releases.',
    lines: [
      pair(
        'Bridge br-int other_config:mcast-snooping-disable-flood-unregistered=false',
        'Bridge br-int other_config:mcast-snooping-disable-flood-unregistered=true',
      ),
      pair(
        'Port <uplink> other_config:mcast-snooping-flood=False',
        'Port <uplink> other_config:mcast-snooping-flood=false',
      ),
      pair(
        'Port <uplink> other_config:mcast-snooping-flood-reports=False',
        'Port <uplink> other_config:mcast-snooping-flood-reports=true',
      ),
    ],
  },
  {
    title: 'Rows name their owner',
    reason:
      'Bridges that Patchbay made, and ports that it made or took over, are marked, so that what nobody wants any more can be told from what others made. The reference agent leaves the marks alone.',
    lines: [
      { patchbay: 'Bridge <bridge> external_ids:patchbay-owner=<plugin>' },
      { patchbay: 'Port <port> external_ids:patchbay-owner=<plugin>' },
      { patchbay: 'Interface <uplink> external_ids:patchbay-uplink=<where to>' },
    ],
  },
];

/** Where a packet's verdict is another than under the reference agent with its `openvswitch` firewall: what a rule or a port means to each. */
export const VERDICT_DIFFERENCES = {
  'stateless groups':
    'The reference agent treats `stateful=false` as stateful. Here such a group is what it says: its rules hold whatever the state of a connection, and answers need a rule.',
  'ports that the switch cannot match':
    'Rules with ports of UDP-Lite and DCCP, which Open vSwitch cannot tell: the reference agent lets all of the protocol through, here the rule allows nothing and health names it.',
  RARP: 'Passes under a MAC address of the port, as in later releases of Neutron; Zed drops it.',
  'neighbour advertisements':
    "Held to the port's own MAC address too: the reference agent looks at the address that is advertised alone.",
  'a member that may use any address':
    "Is known by its MAC address. In rules for what is sent the reference agent looks for that address in the frame's source, where it never is; here in its destination.",
  'addresses lost':
    'After rules have changed it happens that the reference agent has a rule towards a remote group and not the addresses of its members, so that it drops what the rule allows. Here it passes.',
} as const;

/** What is left after every difference of the list has been taken out, and those of the list that were not met. */
export interface Comparison {
  readonly onlyReference: readonly string[];
  readonly onlyPatchbay: readonly string[];
  readonly unmet: readonly string[];
}

export function compare(
  reference: readonly string[],
  patchbay: readonly string[],
  differences: readonly Difference[] = DIFFERENCES,
): Comparison {
  const theirs = new Set(reference.filter((line) => !patchbay.includes(line)));
  const ours = new Set(patchbay.filter((line) => !reference.includes(line)));
  const unmet: string[] = [];
  for (const { lines } of differences) {
    for (const { reference: before, patchbay: after } of lines) {
      const met =
        before === undefined || after === undefined
          ? takeOut(before === undefined ? ours : theirs, before ?? after ?? '')
          : takeOutPairs(theirs, ours, before, after);
      if (met === 0) unmet.push(before ?? after ?? '');
    }
  }
  return { onlyReference: [...theirs].sort(), onlyPatchbay: [...ours].sort(), unmet };
}

function takeOut(lines: Set<string>, template: string): number {
  const pattern = patternOf(template);
  const met = [...lines].filter((line) => pattern.test(line));
  for (const line of met) lines.delete(line);
  return met.length;
}

function takeOutPairs(theirs: Set<string>, ours: Set<string>, before: string, after: string): number {
  const pattern = patternOf(before);
  let met = 0;
  for (const line of [...theirs]) {
    const values = pattern.exec(line)?.slice(1);
    if (values === undefined) continue;
    const named = new Map((before.match(/<[\w ]+>/g) ?? []).map((name, place) => [name, values[place] ?? '']));
    const counterpart = after.replace(/<[\w ]+>/g, (name) => named.get(name) ?? name);
    if (!ours.delete(counterpart)) continue;
    theirs.delete(line);
    met += 1;
  }
  return met;
}

function patternOf(template: string): RegExp {
  const escaped = template.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/<[\w ]+>/g, '(.+?)');
  return new RegExp(`^${escaped}$`);
}

/** docs/differences.md. */
export function differencesPage(): string {
  const sections = DIFFERENCES.map(({ title, reason, lines }) => {
    const shown = lines.flatMap(({ reference, patchbay }) => [
      ...(reference === undefined ? [] : [`- ${reference}`]),
      ...(patchbay === undefined ? [] : [`+ ${patchbay}`]),
    ]);
    return `## ${title}\n\n${reason}\n\n\`\`\`diff\n${shown.join('\n')}\n\`\`\`\n`;
  });
  const verdicts = Object.entries(VERDICT_DIFFERENCES).map(([name, reason]) => `- **${name}**: ${reason}`);
  return [HEAD, ...sections, VERDICTS_HEAD, ...verdicts, ''].join('\n');
}

const HEAD = `# What is different on the switch

For the same networks and ports and the same ini files, the flows and the rows of the switch are those of the reference agent (Neutron 21, Zed), but for
what follows. A system test runs both agents and finds nothing else; this page is made from its list (test/support/differences.ts).

Not compared: cookies (the reference agent's are new at every start, Patchbay's are the same for ever, one for each plugin), port numbers, which local VLAN
a network has, and statistics. \`-\` is a line of the reference agent's, \`+\` one of Patchbay's; \`<word>\` stands for anything, the same on both sides.
`;

const VERDICTS_HEAD = `# What is different for packets

With the \`openvswitch\` firewall, generated rules, members and packets get the same verdict from both agents, each beside a switch of its own, and from a
model of what the API says, but for:
`;
