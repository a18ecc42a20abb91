import type { HookName } from '@patchbay/sdk';
import { z } from 'zod';
import { KernelError } from '../errors';

/** What crosses hooks, as far as it is checked: by those who return drafts, and by those who tell facts. */

// Loose: what a control plane adds beyond the model travels along.
export const Text = z.string();
const Texts = z.record(z.string(), z.string());
export const SegmentShape = z.looseObject({
  networkId: Text,
  networkType: z.enum(['local', 'flat', 'vlan', 'vxlan', 'gre', 'geneve']),
  physicalNetwork: Text.nullable(),
  segmentationId: z.int().nullable(),
});
export const VifShape = z.looseObject({
  portId: Text,
  bridge: Text,
  portName: Text,
  portRow: Text,
  macAddress: Text,
  ofport: z.int().nullable(),
  externalIds: Texts,
});
export const PortShape = z.looseObject({
  id: Text,
  name: Text,
  networkId: Text,
  macAddress: Text,
  adminStateUp: z.boolean(),
  status: Text,
  deviceId: Text,
  deviceOwner: Text,
  fixedIps: z.array(z.looseObject({ subnetId: Text, ipAddress: Text })),
  allowedAddressPairs: z.array(z.looseObject({ macAddress: Text, ipAddress: Text })),
  portSecurityEnabled: z.boolean(),
  securityGroupIds: z.array(Text),
  segment: SegmentShape.nullable(),
  binding: z.enum(['here', 'migrating-in', 'migrating-out', 'elsewhere']),
  vnicType: Text,
  vifType: Text,
  profile: z.record(z.string(), z.unknown()),
  qosPolicyId: Text.nullable(),
  networkQosPolicyId: Text.nullable(),
  mtu: z.int().nullable(),
  hints: z.record(z.string(), z.unknown()),
  revision: z.int(),
});

export const BoundShape = z.looseObject({ port: PortShape, vif: VifShape, segment: SegmentShape, localVlan: z.int() });
const BoundSegmentShape = z.looseObject({ segment: SegmentShape, localVlan: z.int() });
const EndpointShape = z.looseObject({ tunnelType: z.enum(['vxlan', 'gre', 'geneve']), ipAddress: Text });

const FACTS: Readonly<Partial<Record<HookName, z.ZodType>>> = {
  onPortIsolated: z.looseObject({ vif: VifShape, reason: Text, detail: Text }),
  onPortAdded: BoundShape,
  onPortUpdated: z.looseObject({ previous: BoundShape, current: BoundShape }),
  onPortRemoved: z.looseObject({ bound: BoundShape, reason: Text }),
  onNetworkDeleted: z.looseObject({ networkId: Text }),
  onSegmentBound: BoundSegmentShape,
  onSegmentReleased: BoundSegmentShape,
  onSecurityGroupUpdated: z.looseObject({ securityGroupIds: z.array(Text), change: Text }),
  onTunnelEndpointAdded: EndpointShape,
  onTunnelEndpointRemoved: EndpointShape,
};

/** @throws PatchbayError `PB-FACT-INVALID` for a payload that taps could make nothing of: whoever tells it is at fault, and not they. */
export function checkFact(hook: HookName, payload: unknown): void {
  const issue = FACTS[hook]?.safeParse(payload).error?.issues[0];
  if (issue === undefined) return;
  const field = issue.path.join('.');
  throw KernelError.factInvalid({ hook, field: field === '' ? 'the payload' : field, problem: issue.message });
}
