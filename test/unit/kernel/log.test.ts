import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoggingSettings } from '../../../core/kernel/config/model';
import { createLogging, logFileOf } from '../../../core/kernel/log/log';
import { fileOutput, type LogOutput, onlyErrors, stderrOutput } from '../../../core/kernel/log/outputs';
import { redacted, withoutPasswords } from '../../../core/kernel/log/redaction';

const SETTINGS: LoggingSettings = {
  debug: false,
  log_file: null,
  log_dir: null,
  use_json: false,
  use_stderr: false,
  use_syslog: false,
  use_journal: false,
};

function bed(settings: Partial<LoggingSettings> = {}) {
  const lines: string[] = [];
  const output: LogOutput = { write: (line) => void lines.push(line), close: () => undefined };
  return { lines, logging: createLogging({ ...SETTINGS, ...settings }, () => [output]) };
}

describe('passwords', () => {
  it.each([
    ['rabbit://user:secret@host:5672/vhost', 'rabbit://user:***@host:5672/vhost'],
    ['rabbit://a:one@h1:5672,b:two@h2:5672/', 'rabbit://a:***@h1:5672,b:***@h2:5672/'],
    ['cannot reach rabbit://u:p%40ss@h, giving up', 'cannot reach rabbit://u:***@h, giving up'],
    ['rabbit://:secret@host', 'rabbit://:***@host'],
    ['rabbit://user:se/cr:et@host', 'rabbit://user:***@host'],
    ['tcp://192.0.2.1:6640', 'tcp://192.0.2.1:6640'],
    [`{"url":"rabbit://u:it's"<secret>@h/"}`, '{"url":"rabbit://u:***@h/"}'],
  ])('in %s are hidden', (text, shown) => {
    expect(withoutPasswords(text)).toBe(shown);
  });

  it('in fields of any depth are hidden, by URL and by name', () => {
    const fields = {
      config: { transport_url: 'rabbit://u:secret@h', rabbit: { rabbit_password: 'secret' } },
      hosts: ['amqp://u:secret@h'],
    };
    expect(JSON.stringify(redacted(fields))).not.toContain('secret');
  });

  it('in an error’s message and stack are hidden', () => {
    expect(String(redacted(new Error('no rabbit://u:secret@h')))).not.toContain('secret');
  });
});

describe('the log', () => {
  it('writes one line an event: time, pid, level, plugin, sentence and fields', () => {
    const { lines, logging } = bed();
    logging.for('tunnels').warn('Tunnel went down', { port: 'vxlan-c0000201', why: 'no route' });
    expect(lines[0]).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \d+ WARNING tunnels Tunnel went down port=vxlan-c0000201 why="no route"\n$/,
    );
  });

  it('writes JSON where asked to', () => {
    const { lines, logging } = bed({ use_json: true });
    logging.for('tunnels').info('Tunnel came up', { ofport: 4 });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      plugin: 'tunnels',
      msg: 'Tunnel came up',
      ofport: 4,
      level: 30,
    });
  });

  it.each([false, true])('has no password in it in any form (json: %p)', (json) => {
    const { lines, logging } = bed({ use_json: json });
    logging.for('neutron').error('Cannot reach rabbit://u:secret@h', {
      url: 'rabbit://u:secret@h:5672,u:secret@h2/',
      password: 'secret',
      error: new Error('rabbit://u:secret@h'),
    });
    expect(lines.join('')).not.toContain('secret');
  });

  it('does not let a field take the place of what every line has', () => {
    const { lines, logging } = bed({ use_json: true });
    logging.for('a').info('Said', { plugin: 'b', msg: 'other' });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ plugin: 'a', msg: 'Said', plugin_: 'b', msg_: 'other' });
  });

  it('switches debug lines on for loggers that exist already', () => {
    const { lines, logging } = bed();
    const logger = logging.for('a');
    logger.debug('Unheard');
    logging.reload({ ...SETTINGS, debug: true });
    logger.debug('Heard');
    expect(lines).toHaveLength(1);
  });

  it('takes big integers and loops in its fields', () => {
    const { lines, logging } = bed();
    const loop: Record<string, unknown> = { cookie: 0x7n };
    loop.self = loop;
    logging.for('a').info('Said', { loop });
    expect(lines[0]).toContain('"cookie":"7"');
  });
});

describe('log files', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'patchbay-log-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('are opened again by name after a rotation', () => {
    const file = join(directory, 'made', 'patchbay.log');
    const output = fileOutput(file);
    output.write('one\n', 30);
    renameSync(file, `${file}.1`);
    output.close();
    output.write('two\n', 30);
    expect([readFileSync(`${file}.1`, 'utf8'), readFileSync(file, 'utf8')]).toEqual(['one\n', 'two\n']);
  });

  it('are those that the settings name after a reload', () => {
    const settings = { ...SETTINGS, log_dir: directory, log_file: 'one.log' };
    const logging = createLogging(settings);
    const logger = logging.for('a');
    logger.info('First');
    logging.reload({ ...settings, log_file: 'two.log', use_json: true });
    logger.info('Second');
    expect(readFileSync(join(directory, 'one.log'), 'utf8')).toMatch(/First\n$/);
    expect(JSON.parse(readFileSync(join(directory, 'two.log'), 'utf8'))).toMatchObject({ msg: 'Second' });
  });

  it('survive a full disk and say how many lines were lost', () => {
    let full = true;
    const written: string[] = [];
    const output = fileOutput(join(directory, 'patchbay.log'), (_descriptor, text) => {
      if (full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      written.push(text);
    });
    output.write('one\n', 30);
    output.write('two\n', 30);
    full = false;
    output.write('three\n', 30);
    expect(written).toEqual(['2 lines of this log could not be written\nthree\n']);
  });

  it.each([
    [{ log_file: null, log_dir: null }, null],
    [{ log_file: null, log_dir: '/var/log/x' }, '/var/log/x/patchbay.log'],
    [{ log_file: 'agent.log', log_dir: '/var/log/x' }, '/var/log/x/agent.log'],
    [{ log_file: '/tmp/agent.log', log_dir: '/var/log/x' }, '/tmp/agent.log'],
  ])('are named by %p', (settings, file) => {
    expect(logFileOf(settings)).toBe(file);
  });

  it('give the journal a priority before each line', () => {
    const written: string[] = [];
    stderrOutput('journal', (_descriptor, text) => void written.push(text)).write('Failed\n', 50);
    expect(written).toEqual(['<3>Failed\n']);
  });

  it('leave out what is no error for a plan, which answers on standard output', () => {
    const written: string[] = [];
    const output = onlyErrors(stderrOutput('plain', (_descriptor, text) => void written.push(text)));
    output.write('Started\n', 30);
    output.write('Failed\n', 50);
    expect(written).toEqual(['Failed\n']);
  });
});
