import {
  type FieldValue,
  findField,
  type Match,
  type MatchByName,
  type MatchValue,
  matchFields,
  type ResolvePort,
} from '@patchbay/sdk/flow';
import { isRewritten, putMatch } from './canonical-match';
import { matchBounds, writeMatchFields } from './oxm';
import { WireWriter } from './writer';

/** One field of a match that is wanted. */
export interface FieldForm {
  readonly order: number;
  /** As `putMatch` would put it. */
  readonly bytes: Uint8Array;
  /** As an OXM field. */
  readonly wire: Uint8Array;
}

/** Values remembered of one field: addresses are many, and all else repeats. */
const REMEMBERED = 4096;
/** What these names mean depends on the rest of the match. */
const CONTEXTUAL: ReadonlySet<string> = new Set(['tp_src', 'tp_dst', 'icmp_type', 'icmp_code']);
const PORT_NAME = /^(in_port|in_port_oxm|reg\d+)$/;

const noPorts = (): undefined => undefined;

/** The values of one field that were met; the same few stand in flow after flow. */
class FieldForms {
  private readonly values = new Map<FieldValue, FieldForm>();
  private readonly masked = new Map<string, FieldForm>();

  constructor(
    private readonly name: string,
    readonly holdsPorts: boolean,
  ) {}

  ofValue(value: FieldValue): FieldForm {
    const known = this.values.get(value);
    if (known !== undefined) return known;
    if (this.values.size >= REMEMBERED) this.values.clear();
    const made = this.make(value);
    this.values.set(value, made);
    return made;
  }

  ofMasked(wanted: { readonly value: FieldValue; readonly mask: FieldValue }): FieldForm {
    const key = `${wanted.value}/${wanted.mask}`;
    const known = this.masked.get(key);
    if (known !== undefined) return known;
    if (this.masked.size >= REMEMBERED) this.masked.clear();
    const made = this.make(wanted);
    this.masked.set(key, made);
    return made;
  }

  private make(wanted: Exclude<MatchValue, { port: string }>): FieldForm {
    const fields = matchFields({ [this.name]: wanted }, noPorts);
    const writer = new WireWriter(64);
    writeMatchFields(writer, fields);
    const bytes = writer.view();
    const { from, to } = matchBounds(bytes, 0);
    const out = Buffer.alloc(2 * bytes.length);
    return {
      order: fields[0]?.field.order ?? 0,
      bytes: out.subarray(0, putMatch(out, 0, bytes, from, to)),
      wire: bytes.subarray(from, to),
    };
  }
}

const forms = new Map<string, FieldForms | 'of the whole match'>();

function formsOf(name: string): FieldForms | undefined {
  let found = forms.get(name);
  if (found === undefined) {
    const isPort = name === 'in_port' || name === 'in_port_oxm';
    const field = findField(name);
    const alone = field !== undefined && !CONTEXTUAL.has(name) && (isPort || !isRewritten(field.order));
    found = alone ? new FieldForms(name, PORT_NAME.test(name)) : 'of the whole match';
    forms.set(name, found);
  }
  return found === 'of the whole match' ? undefined : found;
}

/**
 * Puts the forms of a match's fields into `found`, by ascending order, and answers how many they are: undefined where fields must be
 * looked at together.
 * @throws FlowNotationError for a value that does not fit.
 */
export function formsOfMatch(match: Match, resolve: ResolvePort, found: FieldForm[]): number | undefined {
  const named: MatchByName = match;
  let count = 0;
  for (const name in named) {
    const wanted = named[name];
    // One that is undefined is refused by name where the match is looked at as a whole.
    const form = wanted === undefined ? undefined : formOf(name, wanted, resolve);
    if (form === undefined) return undefined;
    let place = count;
    for (; place > 0; place--) {
      const before = found[place - 1] as FieldForm;
      if (before.order === form.order) return undefined;
      if (before.order < form.order) break;
      found[place] = before;
    }
    found[place] = form;
    count += 1;
  }
  return count;
}

/** The form of one field, or undefined for one that must be looked at with the rest of its match. */
function formOf(name: string, wanted: MatchValue, resolve: ResolvePort): FieldForm | undefined {
  const found = formsOf(name);
  if (found === undefined) return undefined;
  if (typeof wanted !== 'object') return found.ofValue(wanted);
  if (!('port' in wanted)) return found.ofMasked(wanted);
  const port = found.holdsPorts ? resolve(wanted.port) : undefined;
  return port === undefined ? undefined : found.ofValue(port);
}
