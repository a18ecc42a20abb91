/** White space as Python's str.strip() knows it: it has the four separators 0x1c to 0x1f and 0x85, and not the byte order mark. */
const blank = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const leading = new RegExp(`^${blank}+`);
const trailing = new RegExp(`${blank}+$`);

export const stripStart = (text: string): string => text.replace(leading, '');
export const stripEnd = (text: string): string => text.replace(trailing, '');
export const strip = (text: string): string => stripEnd(stripStart(text));
