import { nearest } from '../kernel/nearest';
import { type IniOption, iniOptions } from './options';
import { type IniFile, normalizeSection } from './oslo';

/** The sections that are the agent's alone, so that what we do not know in them is likely a mistake. */
const ownSections = ['ovs', 'agent', 'securitygroup', 'patchbay'];

/** Options that stand where nobody looks for them. The reference agent ignores them silently, so they only get a line each. */
export function misplacedOptions(files: readonly IniFile[]): readonly string[] {
  return files.flatMap(({ file, sections, assignments }) => [
    ...sections
      .filter(({ name }) => name !== 'DEFAULT' && name.toUpperCase() === 'DEFAULT')
      .map(({ name, line }) => `${file}:${line}: [${name}] is not [DEFAULT]: that one is written in capitals`),
    ...sections
      .filter(({ name }) => name.trim() !== name)
      .map(({ name, line }) => `${file}:${line}: [${name}] has blanks inside its brackets, so it is another section`),
    ...assignments
      .filter(({ section, key }) => ownSections.includes(normalizeSection(section)) && !isKnown(section, key))
      .map(
        ({ section, key, line }) =>
          `${file}:${line}: [${section}] ${key} is not known to Patchbay${hint(normalizeSection(section), key)}`,
      ),
  ]);
}

const names = (option: IniOption): readonly { readonly section: string; readonly name: string }[] => [
  option,
  ...(option.deprecated ?? []).map(({ section = option.section, name = option.name }) => ({ section, name })),
];

const isKnown = (section: string, key: string): boolean =>
  iniOptions.some((option) =>
    names(option).some((known) => known.section === normalizeSection(section) && known.name === key),
  );

function hint(section: string, key: string): string {
  const elsewhere = iniOptions.find((option) => option.name === key);
  if (elsewhere !== undefined) return `; it belongs in [${elsewhere.section}]`;
  const close = nearest(
    key,
    iniOptions.filter((option) => option.section === section).map((option) => option.name),
  );
  return close === undefined ? '' : `; did you mean ${close}?`;
}
