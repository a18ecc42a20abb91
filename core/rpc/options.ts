import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { SecureVersion, ConnectionOptions as TlsOptions } from 'node:tls';
import { RabbitOptionError } from './errors';
import { type RabbitOptions, rabbitOptionShape, rabbitOptions } from './rabbit-options';
import type { TransportUrl } from './transport-url';

export interface ResolvedRabbitOptions {
  readonly options: RabbitOptions;
  /** Names of options that were set and have no effect here; rabbitOptions says why. */
  readonly meaningless: readonly string[];
}

/**
 * Puts the options together: defaults, then what the configuration gives, then the query of the transport_url.
 * Throws RabbitOptionError for the first value that is malformed or refused, and for a name that is no option.
 */
export function resolveRabbitOptions(
  given: Readonly<Record<string, unknown>>,
  url?: TransportUrl,
): ResolvedRabbitOptions {
  const merged = { ...given, ...url?.query };
  const parsed = rabbitOptionShape.safeParse(merged);
  if (!parsed.success) throw optionError(parsed.error.issues[0]);
  const meaningless = rabbitOptions.filter(
    ({ name, verdict }) => verdict === 'meaningless' && Object.hasOwn(merged, name),
  );
  const options = parsed.data;
  return {
    options: { ...options, hostname: options.hostname || hostname() },
    meaningless: meaningless.map(({ name }) => name),
  };
}

type Issue = {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
};

function optionError(issue: Issue | undefined): RabbitOptionError {
  const unknown = issue?.keys?.[0];
  if (unknown !== undefined) return new RabbitOptionError('option-invalid', unknown, 'there is no such option');
  const field = String(issue?.path[0] ?? '');
  const verdict = rabbitOptions.find(({ name }) => name === field)?.verdict;
  const code = verdict === 'refused' && issue?.code === 'custom' ? 'option-refused' : 'option-invalid';
  return new RabbitOptionError(code, field, issue?.message ?? 'is invalid');
}

const TLS_VERSIONS: Readonly<Record<string, SecureVersion>> = {
  TLSv1: 'TLSv1',
  TLSv1_1: 'TLSv1.1',
  TLSv1_2: 'TLSv1.2',
};

/**
 * TLS settings, read anew at every connection so that a renewed certificate is picked up; undefined without `ssl`.
 * Throws RabbitOptionError naming the file option that cannot be read.
 */
export function tlsOptions(options: RabbitOptions): TlsOptions | undefined {
  if (!options.ssl) return undefined;
  const version = TLS_VERSIONS[options.ssl_version];
  const verify = options.ssl_ca_file !== '';
  return {
    rejectUnauthorized: verify,
    ...(verify && { ca: readOption('ssl_ca_file', options.ssl_ca_file) }),
    ...(options.ssl_cert_file !== '' && { cert: readOption('ssl_cert_file', options.ssl_cert_file) }),
    ...(options.ssl_key_file !== '' && { key: readOption('ssl_key_file', options.ssl_key_file) }),
    ...(version && { minVersion: version, maxVersion: version }),
    ...(verify && !options.ssl_enforce_hostname_verification && { checkServerIdentity: () => undefined }),
  };
}

function readOption(field: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (reason) {
    throw new RabbitOptionError('option-invalid', field, `cannot be read: ${(reason as Error).message}`);
  }
}
