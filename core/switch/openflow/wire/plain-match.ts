import type { Match, ResolvePort } from '@patchbay/sdk/flow';
import { type FieldForm, formsOfMatch } from './field-forms';
import { OFPMT_OXM } from './oxm';
import type { WireWriter } from './writer';

/** The fields of the match at hand. */
const found: FieldForm[] = [];

/**
 * Writes an ofp_match with its padding where each of its fields can be written by itself, as most can; answers false, and writes
 * nothing, for another. Fields that repeat from flow to flow are worked out once.
 * @throws FlowNotationError for a value that does not fit.
 */
export function writePlainMatch(writer: WireWriter, match: Match, resolve: ResolvePort): boolean {
  const count = formsOfMatch(match, resolve, found);
  if (count === undefined) return false;
  const start = writer.length;
  writer.u16(OFPMT_OXM);
  writer.u16(0);
  for (let index = 0; index < count; index++) writer.append((found[index] as FieldForm).wire);
  writer.setU16(start + 2, writer.length - start);
  writer.align8(start);
  return true;
}
