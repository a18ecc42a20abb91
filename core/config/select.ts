import type { PatchbayError } from '@patchbay/sdk';
import type { PluginEntry } from '../kernel/config/model';
import { ConfigError } from './errors';
import { isAwayFromDefault, type OptionValues, type SetOption } from './values';

/** What the files select from the plugins that are on hand. */
export interface Selection {
  readonly plugins: readonly PluginEntry[];
  /** The L2 extensions that are reported, by Neutron's names. */
  readonly extensions: readonly string[];
  readonly problems: readonly PatchbayError[];
  /** What is done without, in words. */
  readonly without: readonly string[];
}

/** Where Neutron's control plane is used; the one that filters stands between binding and reporting. */
const beforeSecurity = ['integration-bridge', 'bridge-mappings', 'tunnels', 'local-vlan', 'port-binding'];
const afterSecurity = ['neutron', 'heartbeat'];

/** Entry points and class names of `neutron.agent.firewall_drivers`. */
const firewallClasses: Readonly<Record<string, string>> = {
  NoopFirewallDriver: 'noop',
  OVSFirewallDriver: 'openvswitch',
  IptablesFirewallDriver: 'iptables',
  OVSHybridIptablesFirewallDriver: 'iptables_hybrid',
};

const asId = (name: string): string => name.replaceAll('_', '-');
const quote = (name: string): string => `"${name}"`;

/** Chooses the stock plugins as `firewall_driver`, `[agent] extensions` and the options that a plugin answers for say. */
export function selectPlugins(
  values: OptionValues,
  available: ReadonlySet<string>,
  acceptMissing: readonly string[],
): Selection {
  const accepted = new Set(acceptMissing.map(asId));
  const accepts = (name: string): boolean => accepted.has(asId(name));
  const problems: PatchbayError[] = [];
  const without: string[] = [];
  const chosen: PluginEntry[] = [];
  const choose = (name: string, from: string) => chosen.push({ name, options: {}, from });

  for (const name of beforeSecurity) choose(name, 'stock list');
  const security = chooseSecurity(values, available);
  if ('problem' in security && !accepts('firewall_driver')) problems.push(security.problem);
  if ('problem' in security && accepts('firewall_driver')) without.push('[securitygroup] firewall_driver');
  choose('problem' in security ? 'anti-spoofing' : security.plugin, security.from);
  for (const name of afterSecurity) choose(name, 'stock list');

  for (const set of values.all) {
    const { option, where } = set;
    if (option.verdict.kind !== 'refused' || !isAwayFromDefault(set)) continue;
    const { provider, reason, instead } = option.verdict;
    if (provider !== undefined && available.has(provider)) {
      choose(provider, where);
    } else if (accepts(option.name) || (provider !== undefined && accepts(provider))) {
      without.push(`[${option.section}] ${option.name}`);
    } else {
      problems.push(
        ConfigError.optionRefused({
          ...naming(set),
          value: set.value,
          reason: provider === undefined ? reason : `there is no plugin "${provider}", and ${reason}`,
          instead,
        }),
      );
    }
  }

  const extensions: string[] = [];
  const set = values.get('agent', 'extensions');
  for (const extension of new Set(values.texts('agent', 'extensions'))) {
    const name = asId(extension);
    const taken = beforeSecurity.includes(name) || afterSecurity.includes(name) || name === 'standalone';
    if (available.has(name) && !taken) {
      if (!chosen.some((entry) => entry.name === name)) choose(name, set?.where ?? 'stock list');
      extensions.push(extension);
    } else if (accepts(extension)) {
      without.push(`extension ${extension}`);
    } else if (set !== undefined) {
      problems.push(
        ConfigError.extensionMissing({
          ...naming(set),
          extension,
          accept: extension,
          hint: `take ${quote(extension)} off the list, or have a vendor's plugin do its work with [patchbay] plugins_file`,
        }),
      );
    }
  }
  return { plugins: chosen, extensions, problems, without };
}

const naming = ({ option, where }: SetOption) => ({
  where,
  section: option.section,
  option: option.name,
  accept: option.name,
});

type Security = { readonly from: string } & ({ readonly plugin: string } | { readonly problem: PatchbayError });

function chooseSecurity(values: OptionValues, available: ReadonlySet<string>): Security {
  const set = values.get('securitygroup', 'firewall_driver');
  const from = set?.where ?? 'stock list';
  const written = String(set?.value ?? 'noop');
  const driver = firewallClasses[written.split(/[.:]/).at(-1) ?? ''] ?? written;
  if (set === undefined || driver === 'noop') return { plugin: 'anti-spoofing', from };
  const refuse = (reason: string, instead: string): Security => ({
    problem: ConfigError.firewallMissing({ ...naming(set), value: written, reason, instead }),
    from,
  });
  if (driver.startsWith('iptables')) {
    return refuse(
      'security groups are not made with iptables here',
      'set it to openvswitch, which needs no bridge for each port (move hybrid-plugged instances to another host first)',
    );
  }
  if (!values.isOn('securitygroup', 'enable_security_group')) return { plugin: 'anti-spoofing', from };
  const plugin = driver === 'openvswitch' ? 'security-groups' : asId(driver);
  if (available.has(plugin)) return { plugin, from };
  return refuse(
    `there is no plugin "${plugin}", and without it no security group would be enforced`,
    driver === 'openvswitch'
      ? 'keep the reference agent on this host'
      : 'expected openvswitch or noop; check the spelling',
  );
}
