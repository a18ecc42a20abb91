/** How the demo speaks: headings, commands with their output, and verdicts, with colours where the terminal has them. */
import colors from 'picocolors';

export type Outcome = 'answer' | 'silence';

let verdicts = 0;

export function heading(number: number, of: number, title: string): void {
  console.log(`\n${colors.bold(colors.cyan(`[${number}/${of}] ${title}`))}\n`);
}

export function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n');
}

export function aside(sentence: string): void {
  console.log(indented(sentence));
}

export function command(line: string, output: string): void {
  console.log(`  ${colors.bold(`$ ${line}`)}\n${indented(output.trimEnd())}\n`);
}

/** Says whether a ping had the outcome that it should. @throws Error where it had the other one. */
export function verdict(from: string, to: string, outcome: Outcome, expected: Outcome): void {
  const what = `ping ${from.padEnd(21)} → ${to.padEnd(9)}`;
  const words = { answer: 'is answered', silence: 'is not answered' };
  if (outcome !== expected) {
    console.log(`  ${colors.red('BAD')} ${what} ${words[outcome]}, and should not be so`);
    throw new Error(`${what}: expected ${expected}, saw ${outcome}`);
  }
  verdicts += 1;
  console.log(`  ${colors.green('ok')}  ${what} ${words[outcome]}, as it should be`);
}

export function done(sentence: string): void {
  console.log(`\n${colors.bold(colors.green(`All ${verdicts} pings went as they should.`))} ${sentence}`);
}
