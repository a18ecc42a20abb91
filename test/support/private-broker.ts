import { spawnSync } from 'node:child_process';

/** Starting a broker takes seconds; each test against it must be given more than jest's five. */
const STARTING_MS = 300_000;
const ONE_TEST_MS = 300_000;

/**
 * Declares the suite if this process runs beside a broker of its own; otherwise declares one test, which runs the same file beside one.
 * The suite gets the broker's transport_url.
 */
export function runBesideBroker(file: string, suite: (transportUrl: string) => void): void {
  const url = process.env.PATCHBAY_TEST_AMQP;
  if (url !== undefined && process.env.PATCHBAY_TEST_RABBITMQCTL !== undefined) {
    jest.setTimeout(ONE_TEST_MS);
    suite(url.replace(/^amqp:/, 'rabbit:'));
    return;
  }
  it(
    'passes beside a broker of its own',
    () => {
      const inside = ['npx', 'jest', file, '--selectProjects', 'contract', '--runInBand'];
      const outcome = spawnSync('bash', ['test/support/with-broker.sh', ...inside], { encoding: 'utf8' });
      if (outcome.status !== 0) throw new Error(outcome.stdout + outcome.stderr);
    },
    STARTING_MS,
  );
}
