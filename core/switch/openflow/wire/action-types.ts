/** OpenFlow 1.3.5, 7.2.5: action types. */
export const OFPAT = {
  OUTPUT: 0,
  SET_MPLS_TTL: 15,
  DEC_MPLS_TTL: 16,
  PUSH_VLAN: 17,
  POP_VLAN: 18,
  PUSH_MPLS: 19,
  POP_MPLS: 20,
  SET_QUEUE: 21,
  GROUP: 22,
  SET_NW_TTL: 23,
  DEC_NW_TTL: 24,
  SET_FIELD: 25,
  EXPERIMENTER: 0xffff,
} as const;

/** Nicira action subtypes (NXAST_*), ovs-actions(7). */
export const NXAST = {
  RESUBMIT: 1,
  POP_QUEUE: 5,
  REG_MOVE: 6,
  REG_LOAD: 7,
  NOTE: 8,
  RESUBMIT_TABLE: 14,
  OUTPUT_REG: 15,
  LEARN: 16,
  EXIT: 17,
  FIN_TIMEOUT: 19,
  CONTROLLER: 20,
  DEC_TTL_CNT_IDS: 21,
  STACK_PUSH: 27,
  STACK_POP: 28,
  SAMPLE: 29,
  OUTPUT_REG2: 32,
  REG_LOAD2: 33,
  CONJUNCTION: 34,
  CT: 35,
  NAT: 36,
  CONTROLLER2: 37,
  CLONE: 42,
  CT_CLEAR: 43,
  RESUBMIT_TABLE_CT: 44,
  LEARN2: 45,
  CHECK_PKT_LARGER: 49,
} as const;

/** OpenFlow 1.3.5, 7.2.4: instruction types. */
export const OFPIT = {
  GOTO_TABLE: 1,
  WRITE_METADATA: 2,
  WRITE_ACTIONS: 3,
  APPLY_ACTIONS: 4,
  CLEAR_ACTIONS: 5,
  METER: 6,
} as const;

export const NICIRA = 0x00002320;
export const ONF = 0x4f4e4600;

/** ct action flags (NX_CT_F_*). */
export const CT_FLAG = { COMMIT: 1, FORCE: 2 } as const;
/** ct and resubmit's way to say "no table". */
export const NO_TABLE = 255;
/** IANA ports that stand for the ALGs conntrack knows. */
export const ALG_PORTS = { ftp: 21, tftp: 69 } as const;
/** nat action flags (NX_NAT_F_*). */
export const NAT_FLAG = { SRC: 1, DST: 2, PERSISTENT: 4, HASH: 8, RANDOM: 16 } as const;
/** Which bounds follow a nat action (NX_NAT_RANGE_*). */
export const NAT_RANGE = { IPV4_MIN: 1, IPV4_MAX: 2, IPV6_MIN: 4, IPV6_MAX: 8, PORT_MIN: 16, PORT_MAX: 32 } as const;
/** learn flags (NX_LEARN_F_*). */
export const LEARN_FLAG = { SEND_FLOW_REMOVED: 1, DELETE_LEARNED: 2, WRITE_RESULT: 4 } as const;
/** Header bits of a learn spec (NX_LEARN_*). */
export const LEARN_SPEC = {
  WIDTH_MASK: 0x7ff,
  IMMEDIATE: 1 << 13,
  LOAD: 1 << 11,
  OUTPUT: 2 << 11,
  DESTINATION_MASK: 3 << 11,
} as const;
/** Controller2 properties (NXAC2PT_*). */
export const CONTROLLER_PROPERTY = { MAX_LENGTH: 0, CONTROLLER_ID: 1, REASON: 2, USERDATA: 3 } as const;
/** Reason of a packet that an action sent to the controller (OFPR_ACTION). */
export const REASON_ACTION = 1;
