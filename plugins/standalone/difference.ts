import type { ControlPlaneChange, SecurityGroupUpdate, TunnelEndpoint } from '@patchbay/sdk';
import { tunnelEndpoints } from './convert';
import type { NetworksDocument } from './document';

export interface Difference {
  readonly changes: readonly ControlPlaneChange[];
  readonly deletedNetworks: readonly string[];
  readonly securityGroups: readonly SecurityGroupUpdate[];
  readonly addedEndpoints: readonly TunnelEndpoint[];
  readonly removedEndpoints: readonly TunnelEndpoint[];
}

/** What an edit of the networks file changed. */
export function difference(before: NetworksDocument, after: NetworksDocument, cause: string): Difference {
  const ports = compare(before.ports, after.ports);
  const networks = compare(before.networks, after.networks);
  const groups = compare(before.security_groups, after.security_groups);
  const addressGroups = compare(before.address_groups, after.address_groups);
  const endpoints = compare(byAddress(before), byAddress(after));
  return {
    changes: [
      ...ports.removed.map((portId) => ({ kind: 'port-deleted', portId, cause }) as const),
      ...(ports.changed.length + ports.added.length > 0
        ? [{ kind: 'ports-changed', portIds: [...ports.added, ...ports.changed], cause } as const]
        : []),
      ...networks.changed.map((networkId) => ({ kind: 'network-changed', networkId, cause }) as const),
    ],
    deletedNetworks: networks.removed,
    securityGroups: [
      ...update('rules', [...groups.added, ...groups.changed, ...groups.removed]),
      ...update('members', groupsOf(before, after, [...ports.added, ...ports.changed, ...ports.removed])),
      ...update(
        'address-group',
        naming(after, [...addressGroups.added, ...addressGroups.changed, ...addressGroups.removed]),
      ),
    ],
    addedEndpoints: endpoints.added.flatMap((key) => byAddress(after)[key] ?? []),
    removedEndpoints: endpoints.removed.flatMap((key) => byAddress(before)[key] ?? []),
  };
}

interface Comparison {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

function compare(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): Comparison {
  const isNew = (key: string) => !Object.hasOwn(before, key);
  return {
    added: Object.keys(after).filter(isNew),
    changed: Object.keys(after).filter(
      (key) => !isNew(key) && JSON.stringify(before[key]) !== JSON.stringify(after[key]),
    ),
    removed: Object.keys(before).filter((key) => !Object.hasOwn(after, key)),
  };
}

function byAddress(document: NetworksDocument): Readonly<Record<string, TunnelEndpoint>> {
  return Object.fromEntries(
    tunnelEndpoints(document).map((endpoint) => [`${endpoint.tunnelType} ${endpoint.ipAddress}`, endpoint]),
  );
}

function groupsOf(before: NetworksDocument, after: NetworksDocument, portIds: readonly string[]): readonly string[] {
  const groups = (document: NetworksDocument, id: string) => document.ports[id]?.security_groups ?? [];
  return portIds.flatMap((id) => [...groups(before, id), ...groups(after, id)]);
}

function naming(document: NetworksDocument, addressGroups: readonly string[]): readonly string[] {
  return Object.entries(document.security_groups)
    .filter(([, group]) => group.rules.some((rule) => addressGroups.includes(rule.remote_address_group ?? '')))
    .map(([id]) => id);
}

function update(change: SecurityGroupUpdate['change'], ids: readonly string[]): readonly SecurityGroupUpdate[] {
  const securityGroupIds = [...new Set(ids)].sort();
  return securityGroupIds.length === 0 ? [] : [{ securityGroupIds, change }];
}
