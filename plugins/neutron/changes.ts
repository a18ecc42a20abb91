import type { ControlPlaneChange, ObjectChange, SecurityGroupUpdate } from '@patchbay/sdk';
import type { PortObject, RuleObject } from './objects';

/** What a change of one object means to those who wire ports. */
export function portChanges(change: ObjectChange, host: string): readonly ControlPlaneChange[] {
  const { cause } = change;
  if (change.type === 'Network') {
    return change.current === undefined ? [] : [{ kind: 'network-changed', networkId: change.id, cause }];
  }
  if (change.type !== 'Port') return [];
  if (change.current === undefined) return [{ kind: 'port-deleted', portId: change.id, cause }];
  const movedTo = bindingMovedTo(change.previous as PortObject | undefined, change.current as PortObject, host);
  return movedTo === undefined
    ? [{ kind: 'ports-changed', portIds: [change.id], cause }]
    : [{ kind: 'binding-moved', portId: change.id, toHost: movedTo, cause }];
}

/** The host that the active binding went to, if it was here and this host's own is now inactive. */
function bindingMovedTo(previous: PortObject | undefined, current: PortObject, host: string): string | undefined {
  const active = (port: PortObject | undefined) => port?.bindings.find(({ status }) => status === 'ACTIVE')?.host;
  const ownIsInactive = current.bindings.some((binding) => binding.host === host && binding.status === 'INACTIVE');
  const now = active(current);
  return active(previous) === host && ownIsInactive && now !== undefined && now !== host ? now : undefined;
}

/** Which security groups a change touches directly. An address group's are found by who names it. */
export function securityGroupUpdate(change: ObjectChange): SecurityGroupUpdate | undefined {
  switch (change.type) {
    case 'Port': {
      const previous = change.previous as PortObject | undefined;
      const current = change.current as PortObject | undefined;
      if (membership(previous) === membership(current)) return undefined;
      const ids = new Set([...(previous?.security_group_ids ?? []), ...(current?.security_group_ids ?? [])]);
      return ids.size === 0 ? undefined : { securityGroupIds: [...ids].sort(), change: 'members' };
    }
    case 'SecurityGroup':
      return change.previous === undefined ? undefined : { securityGroupIds: [change.id], change: 'rules' };
    case 'SecurityGroupRule': {
      const rule = (change.current?.security_group_id === undefined ? change.previous : change.current) as
        | RuleObject
        | undefined;
      return rule === undefined ? undefined : { securityGroupIds: [rule.security_group_id], change: 'rules' };
    }
    default:
      return undefined;
  }
}

/** The part of a port that makes it a member of its groups. */
function membership(port: PortObject | undefined): string {
  if (port === undefined) return '';
  return JSON.stringify([
    port.mac_address,
    port.fixed_ips.map((ip) => ip.ip_address),
    port.allowed_address_pairs,
    port.security_group_ids,
  ]);
}
