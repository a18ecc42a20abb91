/** Splits at commas and blanks that stand outside parentheses and brackets; empty pieces are dropped. */
export function splitOutside(text: string, separators = ', \t'): string[] {
  const pieces: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index <= text.length; index++) {
    const letter = text[index];
    if (letter === '(' || letter === '[') depth++;
    else if (letter === ')' || letter === ']') depth--;
    if (letter === undefined || (depth === 0 && separators.includes(letter))) {
      if (index > start) pieces.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return pieces;
}

/** `name`, `name=value`, `name:value` or `name(value)` as name and value; the first mark counts. */
export function splitPair(text: string): {
  readonly name: string;
  readonly value: string;
  readonly mark: '' | '=' | ':' | '(';
} {
  const at = text.search(/[=:(]/);
  if (at < 0) return { name: text, value: '', mark: '' };
  const mark = text[at];
  if (mark === '(') return { name: text.slice(0, at), value: text.slice(at + 1).replace(/\)$/, ''), mark };
  return { name: text.slice(0, at), value: text.slice(at + 1), mark: mark === '=' ? '=' : ':' };
}
