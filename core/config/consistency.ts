import type { PatchbayError } from '@patchbay/sdk';
import { ConfigError } from './errors';
import type { OptionValues, SetOption } from './values';

const tunnelTypes = ['gre', 'vxlan', 'geneve'];
/** IFNAMSIZ less one: what the kernel allows for the name of an interface. */
const LONGEST_NAME = 15;

export interface Mappings {
  /** Physical network to bridge. */
  readonly bridges: Readonly<Record<string, string>>;
  readonly problems: readonly PatchbayError[];
}

/** Reads `physnet:bridge` items: one colon, both sides, each physical network and each bridge once. */
export function bridgeMappings(values: OptionValues): Mappings {
  const set = values.get('ovs', 'bridge_mappings');
  const networkOf = new Map<string, string>();
  const bridges: Record<string, string> = {};
  const problems: PatchbayError[] = [];
  for (const item of values.texts('ovs', 'bridge_mappings')) {
    const [network = '', bridge = '', ...more] = item.split(':').map((part) => part.trim());
    const mistake =
      network === '' || bridge === '' || more.length > 0
        ? `"${item}" is no mapping: write physical_network:bridge`
        : Object.hasOwn(bridges, network)
          ? `"${network}" is mapped twice, to "${bridges[network]}" and to "${bridge}"`
          : networkOf.has(bridge)
            ? `bridge "${bridge}" is mapped from both "${networkOf.get(bridge)}" and "${network}"; a bridge serves one physical network`
            : bridge.length > LONGEST_NAME
              ? `"${bridge}" is no bridge: an interface name has at most ${LONGEST_NAME} characters`
              : undefined;
    if (mistake !== undefined) problems.push(inconsistent(set, mistake));
    else {
      bridges[network] = bridge;
      networkOf.set(bridge, network);
    }
  }
  return { bridges, problems };
}

/** What the reference agent checks when it starts, save whether local_ip is on an interface: that is seen when tunnels start. */
export function inconsistencies(
  values: OptionValues,
  bridges: Readonly<Record<string, string>>,
): readonly PatchbayError[] {
  return [
    ...tunnelProblems(values),
    ...placementProblems(values, Object.values(bridges)),
    ...transportProblems(values),
  ];
}

function tunnelProblems(values: OptionValues): PatchbayError[] {
  const set = values.get('agent', 'tunnel_types');
  const types = values.texts('agent', 'tunnel_types');
  const problems = types
    .filter((type) => !tunnelTypes.includes(type))
    .map((type) => inconsistent(set, `"${type}" is no tunnel type: expected ${tunnelTypes.join(', ')}`));
  if (types.length > 0 && values.get('ovs', 'local_ip') === undefined) {
    problems.push(inconsistent(set, 'tunnels need [ovs] local_ip, the address of this host that the others send to'));
  }
  return problems;
}

function placementProblems(values: OptionValues, bridges: readonly string[]): PatchbayError[] {
  const bandwidths = values.get('ovs', 'resource_provider_bandwidths');
  const tunnelled = String(values.get('ml2', 'tunnelled_network_rp_name')?.value ?? 'rp_tunnelled');
  const problems = values
    .texts('ovs', 'resource_provider_bandwidths')
    .map((item) => item.split(':')[0] ?? '')
    .filter((bridge) => bridge !== tunnelled && !bridges.includes(bridge))
    .map((bridge) =>
      inconsistent(
        bandwidths,
        `"${bridge}" is no bridge of bridge_mappings (${bridges.join(', ') || 'there are none'})`,
      ),
    );
  const directed = values.get('ovs', 'resource_provider_packet_processing_with_direction');
  const plain = values.get('ovs', 'resource_provider_packet_processing_without_direction');
  if (directed !== undefined && plain !== undefined) {
    problems.push(inconsistent(directed, `excludes ${plain.option.name} (${plain.where}): set one of the two`));
  }
  return problems;
}

function transportProblems(values: OptionValues): PatchbayError[] {
  const set = values.get('DEFAULT', 'transport_url');
  if (set === undefined || /^rabbit:\/\//.test(String(set.value))) return [];
  return [inconsistent(set, 'expected rabbit://user:password@host:5672/vhost; other transports are not spoken')];
}

const inconsistent = (set: SetOption | undefined, problem: string): PatchbayError =>
  ConfigError.inconsistent({
    where: set?.where ?? 'default',
    section: set?.option.section,
    option: set?.option.name,
    problem,
  });
