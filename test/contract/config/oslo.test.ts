import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type OptionDeclaration, OsloReader, parseIni } from '../../../core/config/oslo';

/** The reader against oslo.config itself, on generated files: Debian's python3-oslo.config, one process for all cases. */

interface Case {
  readonly files: readonly string[];
  readonly options: readonly OptionDeclaration[];
  readonly environment: Readonly<Record<string, string>>;
}

type Answer = { error: string } | { values: ({ value: unknown } | { error: string })[] };

const option = (
  section: string,
  name: string,
  type: OptionDeclaration['type'],
  more: Partial<OptionDeclaration> = {},
) => ({
  section,
  name,
  type,
  default: null,
  ...more,
});

const options: readonly OptionDeclaration[] = [
  option(
    'DEFAULT',
    'text',
    { kind: 'string' },
    { default: 'at-$flag', deprecated: [{ name: 'old_text' }, { section: 'agent', name: 'text' }] },
  ),
  option('DEFAULT', 'flag', { kind: 'boolean' }, { default: 'true' }),
  option('DEFAULT', 'count', { kind: 'string' }),
  option('DEFAULT', 'list', { kind: 'list' }),
  option('DEFAULT', 'many', { kind: 'multi', item: { kind: 'string' } }, { deprecated: [{ name: 'much' }] }),
  option('ovs', 'text', { kind: 'string' }),
  option('ovs', 'count', { kind: 'integer', min: -5, max: 70000 }, { deprecated: [{ section: 'agent' }] }),
  option('ovs', 'share', { kind: 'float', max: 100 }),
  option('ovs', 'pairs', { kind: 'dict' }),
  option('ovs', 'numbers', { kind: 'dict', value: { kind: 'integer' } }),
  option('ovs', 'counts', { kind: 'list', item: { kind: 'integer' } }),
  option('agent', 'colour', { kind: 'string', choices: ['red', 'Green'], ignoreCase: true }),
  option('agent', 'address', { kind: 'ip' }),
  option('agent', 'port', { kind: 'port' }),
];

const braced = (name: string): string => `$\{${name}}`;

const word = fc.constantFrom(
  'a',
  'text',
  'br-int',
  ' ',
  '  ',
  ',',
  ':',
  '=',
  '#',
  ';',
  '"',
  "'",
  '$',
  '$$',
  '\\$',
  '\\',
  '$text',
  braced('text'),
  braced(' text'),
  '$ovs.text',
  '$ovs.count',
  '$flag',
  '$old_text',
  braced('count'),
  '$nothing',
  '$none.text',
  '$text.',
  '${',
  '}',
  '[',
  ']',
  '1',
  '-1',
  '+5',
  '1_000',
  '0x10',
  '70001',
  '1.5',
  '1e2',
  '.5',
  'true',
  'OFF',
  'Yes',
  'red',
  'GREEN',
  '192.0.2.1',
  '2001:db8::1',
  '192.0.2.1/24',
  '010.0.0.1',
  'k:1',
  'k:2',
  'j:x,k:3',
  'physnet1:br-ex,',
  '\t',
  'é',
  ' ',
);
const plain = fc.constantFrom(
  'br-int',
  '5',
  'true',
  'off',
  'k:1,j:2',
  '1,2, 3',
  'red',
  '2001:db8::1',
  '80',
  '0.5',
  '"a, b"',
  "' x '",
  'a,,b,',
  '$text',
  '$$5',
  '',
);
const value = fc.oneof(
  plain,
  plain,
  fc.array(word, { maxLength: 5 }).map((words) => words.join('')),
);
const name = fc.constantFrom(...new Set(options.map((each) => each.name)), 'old_text', 'much', 'unknown', 'TEXT');
const assignment = fc.tuple(name, fc.constantFrom('=', ' = ', ':', ' : ', '= '), value).map((parts) => parts.join(''));
const section = fc.constantFrom('[DEFAULT]', '[default]', '[ovs]', '[OVS]', '[Agent]', '[agent]', '[ovs] ');
const oddity = fc.constantFrom(
  '# a comment',
  '; another',
  '',
  '   ',
  ' continued',
  '\tcontinued, too',
  '  # no comment',
  ' k:5,',
);
const mistake = fc.constantFrom('[ovs', '[]', 'nothing', '= value', '[ ovs ]', '[ovs]]', ' [ovs]');
const line = fc.oneof(
  { weight: 12, arbitrary: assignment },
  { weight: 4, arbitrary: section },
  { weight: 4, arbitrary: oddity },
  { weight: 1, arbitrary: fc.oneof({ weight: 9, arbitrary: fc.constant('') }, { weight: 1, arbitrary: mistake }) },
);
const file = fc
  .tuple(
    fc.oneof(
      { weight: 30, arbitrary: fc.constant(['[DEFAULT]']) },
      { weight: 1, arbitrary: fc.constant<string[]>([]) },
    ),
    fc.array(line, { maxLength: 14 }),
    fc.constantFrom('\n', '\n', '\n', '\r\n'),
  )
  .map(([head, lines, end]) => [...head, ...lines].map((each) => each + end).join(''));
const environment = fc.dictionary(
  fc.constantFrom('OS_DEFAULT__TEXT', 'OS_OVS__COUNT', 'OS_AGENT__COLOUR', 'OS_OVS__PAIRS'),
  plain,
  { maxKeys: 1 },
);
const cases: fc.Arbitrary<Case> = fc.record({
  files: fc.array(file, { minLength: 1, maxLength: 3 }),
  options: fc.constant(options),
  environment: fc.oneof(fc.constant({}), environment),
});

function ask(asked: readonly Case[]): readonly Answer[] {
  const answer = execFileSync('/usr/bin/python3', [join(__dirname, 'oslo_oracle.py')], {
    input: JSON.stringify(asked),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return JSON.parse(answer) as Answer[];
}

/** Ours, in the shape of the oracle's; an error's words are ours. */
function read(asked: Case): Answer {
  let reader: OsloReader;
  try {
    reader = new OsloReader({
      files: asked.files.map((text, place) => parseIni(text, `${place}.conf`)),
      options: asked.options,
      environment: asked.environment,
    });
  } catch (problem) {
    return { error: String(problem) };
  }
  return {
    values: asked.options.map((each) => {
      try {
        return { value: reader.get(each.section, each.name).value };
      } catch (problem) {
        return { error: String(problem) };
      }
    }),
  };
}

const blur = (answer: Answer): 'refused' | readonly unknown[] =>
  'error' in answer
    ? 'refused'
    : answer.values.map((each, place) => [
        options[place]?.section,
        options[place]?.name,
        'error' in each ? 'refused' : each.value,
      ]);

test('reads generated files as oslo.config does', () => {
  const asked = fc.sample(cases, { numRuns: 1500, seed: 20260807 });
  const answers = ask(asked);
  const compared = asked.map((each, place) => ({
    each,
    theirs: blur(answers[place] as Answer),
    ours: blur(read(each)),
  }));
  const different = compared.flatMap(({ each, theirs, ours }): object[] =>
    theirs === 'refused' || ours === 'refused'
      ? theirs === ours
        ? []
        : [{ files: each.files, theirs, ours }]
      : options.flatMap((_option, place) =>
          isDeepStrictEqual(theirs[place], ours[place])
            ? []
            : [{ files: each.files, environment: each.environment, theirs: theirs[place], ours: ours[place] }],
        ),
  );
  expect(different.slice(0, 5)).toEqual([]);
  expect(compared.filter(({ theirs }) => theirs !== 'refused').length).toBeGreaterThan(asked.length / 2);
}, 120_000);
