import { FlowNotationError } from './errors';
import { type Field, fieldNamed, subfieldName } from './fields';
import type { Subfield } from './model';

/** A subfield with its field looked up and its bits stated. */
export interface Bits {
  readonly field: Field;
  readonly offset: number;
  readonly width: number;
}

/** Bits of a whole field in a subfield. vlan_vid's present flag is not among them (ovs-fields(7)). */
export function fieldWidth(field: Field): number {
  return field.name === 'vlan_vid' ? 12 : field.bits;
}

/** @throws FlowNotationError for bits that the field does not have. */
export function subfieldBits(subfield: Subfield): Bits {
  const field = fieldNamed(subfield.field);
  const whole = fieldWidth(field);
  const offset = subfield.from ?? 0;
  const last = subfield.to ?? (subfield.from === undefined ? whole - 1 : subfield.from);
  if (offset < 0 || last < offset || last >= whole) {
    throw new FlowNotationError(subfield.field, `has no bits ${offset}..${last}; it is ${whole} bits wide`);
  }
  return { field, offset, width: last - offset + 1 };
}

/** The subfield of those bits, without bits when they are the whole field. */
export function subfieldOf(field: Field, offset: number, width: number): Subfield {
  if (offset === 0 && width === fieldWidth(field)) return { field: field.name };
  return { field: field.name, from: offset, to: offset + width - 1 };
}

/** `NXM_NX_REG6[0..15]`, `reg6[]`, `reg6[3]` or a bare name. */
export function parseSubfield(text: string): Subfield {
  const parts = /^([A-Za-z0-9_]+)(?:\[(?:(\d+)(?:\.\.(\d+))?)?\])?$/.exec(text);
  if (parts === null) throw new FlowNotationError(text, 'is not a subfield such as NXM_NX_REG6[0..15]');
  const field = fieldNamed(parts[1] ?? '');
  const from = parts[2] === undefined ? undefined : Number(parts[2]);
  const to = parts[3] === undefined ? from : Number(parts[3]);
  const { offset, width } = subfieldBits(
    from === undefined || to === undefined ? { field: field.name } : { field: field.name, from, to },
  );
  return subfieldOf(field, offset, width);
}

export function formatSubfield(subfield: Subfield): string {
  const { field, offset, width } = subfieldBits(subfield);
  const name = subfieldName(field);
  if (width === fieldWidth(field)) return `${name}[]`;
  return width === 1 ? `${name}[${offset}]` : `${name}[${offset}..${offset + width - 1}]`;
}
