/** A configuration in oslo.config's form: sections, then options. A list is joined by commas; `undefined` leaves the option out. */
export type Ini = Readonly<Record<string, Readonly<Record<string, IniValue>>>>;
export type IniValue = string | number | boolean | readonly string[] | undefined;

/** The options of both, those of the second where both have one. */
export function mergeIni(first: Ini, second: Ini): Ini {
  const sections = new Set([...Object.keys(first), ...Object.keys(second)]);
  return Object.fromEntries([...sections].map((section) => [section, { ...first[section], ...second[section] }]));
}

export function iniText(ini: Ini): string {
  const sections = Object.entries(ini).map(([section, options]) => {
    const lines = Object.entries(options)
      .filter(([, value]) => value !== undefined)
      .map(([option, value]) => `${option} = ${Array.isArray(value) ? value.join(',') : String(value)}\n`);
    return `[${section}]\n${lines.join('')}`;
  });
  return sections.join('\n');
}
