import { isPlainObject } from '../plain';

/** The names that oslo.log gives the levels. */
const LEVEL_NAMES: Readonly<Record<number, string>> = {
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARNING',
  50: 'ERROR',
  60: 'CRITICAL',
};

/** One line of pino's JSON as operators of OpenStack read logs: `date time pid LEVEL plugin sentence key=value`. */
export function textLine(json: string): string {
  const entry: unknown = JSON.parse(json);
  if (!isPlainObject(entry)) return json;
  const { level, time, pid, plugin, msg, ...fields } = entry;
  const when = new Date(typeof time === 'number' ? time : 0);
  const shown = Object.entries(fields).map(([key, value]) => `${key}=${shownValue(value)}`);
  const levelName = LEVEL_NAMES[Number(level)] ?? String(level);
  return `${[localTime(when), pid, levelName, plugin ?? 'agent', msg, ...shown].join(' ')}\n`;
}

function shownValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return /^[^\s"=]+$/.test(text) || typeof value !== 'string' ? text : JSON.stringify(text);
}

/** Local time, as oslo.log writes it: `2026-11-23 16:30:45.123`. */
function localTime(when: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
  const milliseconds = String(when.getMilliseconds()).padStart(3, '0');
  return `${day} ${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}.${milliseconds}`;
}
