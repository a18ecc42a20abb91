import { type IniOption, iniOptions, type Verdict } from './options';

/** docs/options.md, from the option table. Run as a program, it prints the page. */
export function optionsPage(): string {
  const sections = [...new Set(iniOptions.map((option) => option.section))];
  return `${[rules, ...sections.map(sectionTable)].join('\n\n')}\n`;
}

const rules = `# Options of the reference agent's files

Generated from the option table (\`core/config/options\`): build, then \`node core/dist/config/options-page.js > docs/options.md\`.

\`patchbay run --config-file neutron.conf --config-file openvswitch_agent.ini\` reads the files that \`neutron-openvswitch-agent\` reads, in the same way:

- A later file outweighs an earlier one; \`--config-dir\` takes its \`*.conf\` sorted. Without \`--config-file\`, neutron.conf and neutron-openvswitch-agent.conf are looked for in ~/.neutron, ~, /etc/neutron and /etc.
- The command line outweighs the environment (\`OS_<SECTION>__<OPTION>\`), which outweighs files.
- Sections are the same in any case, but \`[DEFAULT]\` is written in capitals. \`$name\` and \`$section.name\` stand for other options.
- **An option that nobody sets has our default**, which is the reference's unless the table says otherwise. **One that is set is obeyed.**
- *honoured*: it does here what it does there. The place in the configuration follows; an option of a plugin takes effect where that plugin is on the list.
- *no meaning here*: what it tunes does not exist. All that are set are named in one warning.
- *refused*: ignoring it would move traffic or break a promise. If it is set away from its default, the agent does not start, until the plugin that is named is there. \`--accept-missing NAME\`, or \`[patchbay] accept_missing\`, starts without it.
- What is in no table is ignored, as there; \`patchbay config check\` names it in the sections that are the agent's own.`;

function sectionTable(section: string): string {
  const rows = iniOptions.filter((option) => option.section === section).map(row);
  return [
    `## [${section}]`,
    '',
    '| option | type | default | verdict | what becomes of it |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function row(option: IniOption): string {
  const older = (option.deprecated ?? []).map(({ section, name = option.name }) =>
    section === undefined ? `\`${name}\`` : `\`[${section}] ${name}\``,
  );
  const cells = [
    `\`${option.name}\`${older.length === 0 ? '' : ` (older: ${older.join(', ')})`}`,
    typeName(option.type),
    option.default === null ? 'none' : option.default === '' ? 'empty' : `\`${option.default}\``,
    'isStock' in option.verdict
      ? 'honoured'
      : { honoured: 'honoured', meaningless: 'no meaning here', refused: 'refused' }[option.verdict.kind],
    explain(option.verdict),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function explain(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'honoured':
      return [verdict.becomes.map((target) => `\`${target}\``).join(', '), verdict.note ?? '']
        .filter((part) => part !== '')
        .join(': ');
    case 'meaningless':
      return verdict.reason;
    case 'refused':
      if (verdict.isStock) return `chooses the plugin \`${verdict.provider}\``;
      return `${verdict.provider === undefined ? '' : `until there is a plugin \`${verdict.provider}\`: `}${verdict.reason}; ${verdict.instead}`;
  }
}

function typeName(type: IniOption['type']): string {
  switch (type.kind) {
    case 'string':
      return type.choices === undefined ? 'text' : type.choices.join(' or ');
    case 'integer':
    case 'float': {
      const choices = 'choices' in type && type.choices !== undefined ? type.choices.join(' or ') : undefined;
      const bounds = [
        ...(type.min === undefined ? [] : [`from ${type.min}`]),
        ...(type.max === undefined ? [] : [`to ${type.max}`]),
      ];
      return choices ?? [type.kind === 'integer' ? 'whole number' : 'number', ...bounds].join(' ');
    }
    case 'dict':
      return 'key:value, …';
    case 'list':
      return 'list';
    case 'ip':
      return 'IP address';
    default:
      return type.kind;
  }
}

if (require.main === module) process.stdout.write(optionsPage());
