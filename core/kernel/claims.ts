import type { AgentIdentity, Claim, DesiredRecords, Manifest, NumberClaim, OvsdbColumn } from '@patchbay/sdk';

/** What a plugin may write: its manifest's claims, and the tables and numbers that it was allotted. */
export interface Permit {
  readonly manifest: Pick<Manifest, 'claims' | 'columns' | 'numbers' | 'tables'>;
  /** Numbers by the names in the manifest. */
  readonly allotted: Readonly<Record<string, number>>;
  /** Whether the plugin was allotted that meter or group. */
  readonly wasAllotted: (kind: NumberClaim['kind'], bridge: string, number: number) => boolean;
  readonly identity: Pick<AgentIdentity, 'integrationBridge' | 'tunnelBridge'>;
}

/** What of the records no claim of the manifest covers, named for people; undefined where all is covered. */
export function unclaimed(permit: Permit, records: DesiredRecords): string | undefined {
  return unclaimedFlow(permit, records) ?? unclaimedNumber(permit, records) ?? unclaimedColumn(permit, records);
}

function unclaimedFlow(permit: Permit, records: DesiredRecords): string | undefined {
  const covers = flowCover(permit);
  const admissions = (records.gates ?? []).flatMap((gate) => gate.admission ?? []);
  for (const flows of [records.flows ?? [], admissions]) {
    for (const { bridge, table, priority } of flows) {
      if (!covers(bridge, table, priority)) return `a flow on ${bridge} in table ${table} at priority ${priority}`;
    }
  }
  return undefined;
}

function flowCover(permit: Permit): (bridge: string, table: number, priority: number) => boolean {
  const { manifest, allotted } = permit;
  const own = (manifest.tables ?? []).map(({ bridge, name }) => ({ bridge, number: allotted[name] }));
  const known = new Map<string, boolean>();
  return (bridge, table, priority) => {
    const place = `${bridge} ${table} ${priority}`;
    const earlier = known.get(place);
    if (earlier !== undefined) return earlier;
    const covered =
      own.some((request) => request.number === table && isOn(permit, request.bridge, bridge)) ||
      (manifest.claims ?? []).some((claim) => isOn(permit, claim.bridge, bridge) && holds(claim, table, priority));
    known.set(place, covered);
    return covered;
  };
}

function holds({ tables, priorities }: Claim, table: number, priority: number): boolean {
  const [lowest, highest] = priorities ?? [0, 65_535];
  return (tables === 'all' || tables.includes(table)) && priority >= lowest && priority <= highest;
}

function unclaimedNumber(permit: Permit, { meters = [], groups = [] }: DesiredRecords): string | undefined {
  const written = [
    ...meters.map(({ bridge, meter }) => ({ kind: 'meter', bridge, number: meter }) as const),
    ...groups.map(({ bridge, group }) => ({ kind: 'group', bridge, number: group }) as const),
  ];
  const missing = written.find(({ kind, bridge, number }) => {
    if (permit.wasAllotted(kind, bridge, number)) return false;
    return !(permit.manifest.numbers ?? []).some(
      ({ kind: claimed, bridge: where, numbers: [lowest, highest] }) =>
        claimed === kind && isOn(permit, where, bridge) && number >= lowest && number <= highest,
    );
  });
  return missing === undefined ? undefined : `${missing.kind} ${missing.number} on ${missing.bridge}`;
}

function unclaimedColumn(permit: Permit, records: DesiredRecords): string | undefined {
  const missing = columnsOf(records).find(
    ({ bridge, column }) =>
      !(permit.manifest.columns ?? []).some(
        (claim) => claim.columns.includes(column) && (bridge === null || isOn(permit, claim.bridge, bridge)),
      ),
  );
  if (missing === undefined) return undefined;
  return `${missing.column}${missing.bridge === null ? '' : ` on ${missing.bridge}`}`;
}

interface Written {
  readonly column: OvsdbColumn;
  /** null where the record does not say it: a QoS row names its port alone. */
  readonly bridge: string | null;
}

function columnsOf(records: DesiredRecords): readonly Written[] {
  const bridges = (records.bridges ?? []).flatMap((row): readonly Written[] => {
    const columns: readonly (readonly [OvsdbColumn, unknown])[] = [
      ['Open_vSwitch:bridges', row.presence === 'create' ? true : undefined],
      ['Bridge:datapath_type', row.datapathType],
      ['Bridge:fail_mode', row.failMode],
      ['Bridge:protocols', row.protocols],
      ['Bridge:other_config', row.otherConfig],
      ['Bridge:external_ids', row.externalIds],
      ['Bridge:mcast_snooping_enable', row.mcastSnooping],
    ];
    return columns.flatMap(([column, value]) => (value === undefined ? [] : [{ column, bridge: row.name }]));
  });
  const ports = (records.ports ?? []).map(({ bridge }): Written => ({ column: 'Bridge:ports', bridge }));
  const gates = (records.gates ?? []).flatMap((gate): readonly Written[] => {
    const columns: readonly (readonly [OvsdbColumn, unknown])[] = [
      ['Port:tag', gate.tag],
      ['Port:other_config', gate.otherConfig],
      ['Interface:other_config', gate.interfaceOtherConfig],
      ['Bridge:ports', gate.unplugged],
    ];
    return columns.flatMap(([column, value]) => (value === undefined ? [] : [{ column, bridge: gate.bridge }]));
  });
  const qos = (records.qos ?? []).map((): Written => ({ column: 'Port:qos', bridge: null }));
  return [...bridges, ...ports, ...gates, ...qos];
}

/** A provider bridge is any that is neither the integration nor the tunnel bridge: which ones are mapped is the operator's to say. */
function isOn(permit: Permit, claimed: Claim['bridge'], bridge: string): boolean {
  const { integrationBridge, tunnelBridge } = permit.identity;
  if (typeof claimed === 'object') return claimed.name === bridge;
  if (claimed === 'integration') return bridge === integrationBridge;
  if (claimed === 'tunnel') return bridge === tunnelBridge;
  return bridge !== integrationBridge && bridge !== tunnelBridge;
}
