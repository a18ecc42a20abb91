/**
 * The flow model: one OpenFlow flow, group or meter as plain data that survives a structured clone.
 *
 * Field names are those of ovs-fields(7) as `ovs-ofctl` spells them (`in_port`, `dl_vlan` → `vlan_vid`, `nw_src`, `reg6`, …); action names are those of ovs-actions(7).
 * A port is named, not numbered: the reconciler finds its OpenFlow number and holds the flow back while the port does not exist.
 */

import type { FieldName, Register } from './field-names';

/** A port by its name on the bridge of the flow. */
export interface PortName {
  readonly port: string;
}

/** Reserved OpenFlow ports (OpenFlow 1.3, A.2.1). */
export type ReservedPort = 'IN_PORT' | 'NORMAL' | 'FLOOD' | 'ALL' | 'CONTROLLER' | 'LOCAL';

/** A port: by name, by OpenFlow number, or reserved. */
export type PortRef = PortName | number | ReservedPort;

/** A value with the bits that count. Both in the field's own notation or as a number. */
export interface Masked {
  readonly value: FieldValue;
  readonly mask: FieldValue;
}

/** A field's value: a number, a 64-bit or wider number, or text in the field's notation (`fa:16:3e:00:00:01`, `10.0.0.0`, `fe80::1`). */
export type FieldValue = number | bigint | string;

/** What a flow's match asks of one field. Text may carry its mask after a slash, as ovs-ofctl writes it: `10.0.0.0/24`, `0x1000/0x1000`. */
export type MatchValue = FieldValue | Masked | PortName;

/** Field name → wanted value. An absent field matches anything; protocol prerequisites (`eth_type`, `ip_proto`) are stated, never implied. */
export type Match = { readonly [Name in FieldName]?: ValueOf<Name> };

/** A match as its fields come: from a switch, or from text. */
export type MatchByName = Readonly<Record<string, MatchValue>>;

/** Only in_port and registers take a port's name. */
type ValueOf<Name extends FieldName> = Name extends 'in_port' | 'in_port_oxm'
  ? PortRef
  : Name extends Register
    ? MatchValue
    : FieldValue | Masked;

/** Part of a field, bits counted from the least significant: `NXM_NX_REG6[0..15]` is `{ field: 'reg6', from: 0, to: 15 }`. Without bits: the whole field. */
export interface Subfield {
  readonly field: FieldName;
  readonly from?: number;
  readonly to?: number;
}

export type LearnSpec =
  | { readonly kind: 'match'; readonly target: Subfield; readonly source: Subfield | { readonly value: FieldValue } }
  | { readonly kind: 'load'; readonly target: Subfield; readonly source: Subfield | { readonly value: FieldValue } }
  | { readonly kind: 'output'; readonly source: Subfield };

export interface NatSpec {
  readonly direction?: 'src' | 'dst';
  readonly addressMin?: string;
  readonly addressMax?: string;
  readonly portMin?: number;
  readonly portMax?: number;
  readonly persistent?: boolean;
  readonly hash?: boolean;
  readonly random?: boolean;
}

export type Action =
  | { readonly type: 'output'; readonly port: PortRef; readonly maxLength?: number }
  /** Output to each named port that exists. Ports that do not exist yet are pending singly; an empty set means there is no flow. The union of owners' sets is what is written. */
  | { readonly type: 'output_set'; readonly ports: readonly string[] }
  | { readonly type: 'output_field'; readonly source: Subfield }
  | {
      readonly type: 'controller';
      readonly maxLength: number;
      readonly reason?: number;
      readonly controllerId?: number;
      readonly userdata?: string;
    }
  | { readonly type: 'group'; readonly group: number }
  | { readonly type: 'push_vlan'; readonly ethertype: number }
  | { readonly type: 'pop_vlan' }
  /** ovs-ofctl's mod_vlan_vid: rewrites the tag of a flow that is known to have one (by its match or an earlier push_vlan), pushes one otherwise. */
  | { readonly type: 'mod_vlan_vid'; readonly vlan: number }
  | { readonly type: 'push_mpls'; readonly ethertype: number }
  | { readonly type: 'pop_mpls'; readonly ethertype: number }
  /** Where the TTL runs out, the packet goes to controller 0, or to those that are named. */
  | { readonly type: 'dec_ttl'; readonly controllerIds?: readonly number[] }
  | { readonly type: 'dec_mpls_ttl' }
  /** A register may be set to a port's number by the port's name. */
  | {
      readonly type: 'set_field';
      readonly field: FieldName;
      readonly value: FieldValue | PortName;
      readonly mask?: FieldValue;
    }
  /** `load:value->field[from..to]`. */
  | { readonly type: 'load'; readonly value: FieldValue; readonly target: Subfield }
  | { readonly type: 'move'; readonly source: Subfield; readonly target: Subfield }
  /** A field, or part of one, onto the packet's stack, and off it: whole entries, whose widths need not agree. */
  | { readonly type: 'push'; readonly source: Subfield }
  | { readonly type: 'pop'; readonly target: Subfield }
  /** Sets one bit: whether the frame, without its VLAN tag, has more bytes than `length`. */
  | { readonly type: 'check_pkt_larger'; readonly length: number; readonly target: Subfield }
  /** Does the actions to a copy: what they change is as before after them. */
  | { readonly type: 'clone'; readonly actions: readonly Action[] }
  | { readonly type: 'resubmit'; readonly port?: PortRef; readonly table?: number; readonly ct?: boolean }
  | {
      readonly type: 'ct';
      readonly commit?: boolean;
      readonly force?: boolean;
      readonly zone?: number | Subfield;
      readonly table?: number;
      readonly nat?: NatSpec;
      readonly exec?: readonly Action[];
      readonly alg?: 'ftp' | 'tftp';
    }
  | { readonly type: 'ct_clear' }
  | { readonly type: 'exit' }
  /** `conjunction(id,clause/clauses)`; clauses count from 1. */
  | { readonly type: 'conjunction'; readonly id: number; readonly clause: number; readonly clauses: number }
  | {
      readonly type: 'learn';
      readonly table: number;
      readonly priority?: number;
      readonly cookie?: bigint;
      readonly idleTimeout?: number;
      readonly hardTimeout?: number;
      readonly finIdleTimeout?: number;
      readonly finHardTimeout?: number;
      readonly specs: readonly LearnSpec[];
      readonly sendFlowRemoved?: boolean;
      readonly deleteLearned?: boolean;
      readonly limit?: number;
    }
  /** Once a TCP packet with FIN or RST met the flow, it expires after these seconds without a packet, or from its making on. 0 or absent: as before. */
  | { readonly type: 'fin_timeout'; readonly idleTimeout?: number; readonly hardTimeout?: number }
  | { readonly type: 'note'; readonly bytes: string }
  | {
      readonly type: 'sample';
      readonly probability: number;
      readonly collectorSetId: number;
      readonly obsDomainId: number;
      readonly obsPointId: number;
    }
  | { readonly type: 'set_queue'; readonly queue: number }
  | { readonly type: 'pop_queue' }
  | { readonly type: 'meter'; readonly meter: number }
  | { readonly type: 'goto_table'; readonly table: number }
  | { readonly type: 'write_metadata'; readonly value: bigint; readonly mask?: bigint }
  | { readonly type: 'write_actions'; readonly actions: readonly Action[] }
  | { readonly type: 'clear_actions' }
  /** An action that this model has no words for, as its bytes on the wire in hexadecimal. Found on a switch; sent back unchanged. */
  | { readonly type: 'raw'; readonly bytes: string };

/** A flow as a plugin states it. The cookie is the owner's and is filled in by the reconciler. */
export interface Flow {
  readonly bridge: string;
  readonly table: number;
  readonly priority: number;
  readonly match: Match;
  /** No action drops the packet. Instructions (goto_table, meter, write_metadata, …) stand in the list where ovs-ofctl prints them. */
  readonly actions: readonly Action[];
  /** Seconds; 0 or absent: never. */
  readonly idleTimeout?: number;
  /** Seconds; 0 or absent: never. */
  readonly hardTimeout?: number;
}

export interface GroupBucket {
  readonly bucketId?: number;
  readonly weight?: number;
  readonly watchPort?: PortRef;
  readonly watchGroup?: number;
  readonly actions: readonly Action[];
}

export interface Group {
  readonly bridge: string;
  readonly group: number;
  readonly kind: 'all' | 'select' | 'indirect' | 'ff';
  readonly buckets: readonly GroupBucket[];
}

export interface MeterBand {
  readonly kind: 'drop' | 'dscp_remark';
  /** kbit/s or packets/s, by the meter's unit. */
  readonly rate: number;
  readonly burst?: number;
  readonly precedenceLevel?: number;
}

export interface Meter {
  readonly bridge: string;
  readonly meter: number;
  readonly unit: 'kbps' | 'pktps';
  readonly stats?: boolean;
  readonly bands: readonly MeterBand[];
}
