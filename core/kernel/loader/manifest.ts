import { type Manifest, manifestOf, type OvsdbColumn, type PluginClass, SDK_VERSION } from '@patchbay/sdk';
import { satisfies, validRange } from 'semver';
import { z } from 'zod';
import { KernelError } from '../errors';
import { ALLOTTED_RANGES } from '../numbers';
import { isPlainObject } from '../plain';

const Id = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'is not lower-case words joined by hyphens, such as bridge-mappings');
const Ids = z.array(Id).optional();
const TokenShape = z.looseObject({ name: z.string(), scope: z.enum(['agent', 'plugin', 'provided']) });
const ProvidedToken = TokenShape.refine(
  (token) => token.scope === 'provided',
  'is no provided token; only those can be provided or required',
);
const Priority = z.int().min(0).max(65_535);

const BridgeName = z.union([z.enum(['integration', 'tunnel', 'provider']), z.strictObject({ name: z.string() })]);
const COLUMNS = [
  'Open_vSwitch:bridges',
  'Bridge:ports',
  'Bridge:datapath_type',
  'Bridge:fail_mode',
  'Bridge:protocols',
  'Bridge:other_config',
  'Bridge:external_ids',
  'Bridge:mcast_snooping_enable',
  'Port:tag',
  'Port:other_config',
  'Port:qos',
  'Interface:other_config',
] as const satisfies readonly OvsdbColumn[];

/** The highest numbers of OpenFlow 1.3: OFPM_MAX (7.3.4.5) and OFPG_MAX (7.3.4.2). */
const HIGHEST = { meter: 0xffff_0000, group: 0xffff_ff00 } as const;

const NumberClaims = z
  .strictObject({ kind: z.enum(['meter', 'group']), bridge: BridgeName, numbers: z.tuple([z.int(), z.int()]) })
  .superRefine(({ kind, numbers: [lowest, highest] }, { addIssue }) => {
    const refuse = (message: string) => addIssue({ code: 'custom', path: ['numbers'], message });
    const [first, last] = ALLOTTED_RANGES[kind];
    if (lowest < 1 || highest > HIGHEST[kind]) refuse(`is not within 1 to ${HIGHEST[kind]}`);
    else if (lowest > highest) refuse('has its lowest number after its highest');
    else if (lowest <= last && highest >= first) {
      refuse(`has numbers of ${first} to ${last}, which the agent allots: ask Service.numbers for them`);
    }
  });

const ManifestShape = z.strictObject({
  id: Id,
  summary: z
    .string()
    .min(1, 'is empty')
    .refine((text) => !text.includes('\n'), 'has more than one line'),
  sdk: z.string().refine((range) => validRange(range) !== null, 'is no semver range, such as ^1.0.0'),
  requires: z.array(z.union([Id, ProvidedToken])).optional(),
  after: Ids,
  before: Ids,
  replaces: Id.optional(),
  provides: z.array(ProvidedToken).optional(),
  config: z.custom((value) => isStrictObjectSchema(value), 'is no strict object schema; use z.strictObject').optional(),
  paths: z.array(z.string()).optional(),
  examine: z.custom((value) => typeof value === 'function', 'is no function').optional(),
  claims: z
    .array(
      z.strictObject({
        bridge: BridgeName,
        // OpenFlow 1.3, 7.3.4.1: 255 stands for all tables.
        tables: z.union([z.array(z.int().min(0).max(254)), z.literal('all')]),
        priorities: z.tuple([Priority, Priority]).optional(),
      }),
    )
    .optional(),
  columns: z.array(z.strictObject({ bridge: BridgeName, columns: z.array(z.enum(COLUMNS)) })).optional(),
  numbers: z.array(NumberClaims).optional(),
  tables: z
    .array(
      z.strictObject({
        bridge: z.enum(['integration', 'tunnel']),
        name: z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'is not lower-case words joined by hyphens'),
      }),
    )
    .refine((tables) => new Set(tables.map(({ name }) => name)).size === tables.length, 'names a table twice')
    .optional(),
  packetIns: z.strictObject({ perSecond: z.int().min(1), burst: z.int().min(1) }).optional(),
  required: z.boolean().optional(),
  onFailure: z.enum(['abort', 'degrade']),
});

/** The manifest of a class, checked: what is wrong with it is named before any of the plugin's code runs. */
export function checkedManifest(plugin: PluginClass, from: string, sdkVersion: string = SDK_VERSION): Manifest {
  const manifest = manifestOf(plugin);
  if (manifest === undefined) throw KernelError.notAPlugin({ name: plugin.name, from });
  const name = `${manifest.id} (${from})`;
  const checked = ManifestShape.safeParse(manifest);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    const field = issue?.path.map(String).join('.') ?? '';
    throw KernelError.manifestInvalid({
      plugin: name,
      field: field || 'its top',
      problem: issue?.message ?? 'invalid',
    });
  }
  if (!satisfies(sdkVersion, manifest.sdk, { includePrerelease: true })) {
    const major = sdkVersion.split('.')[0];
    const hint = `ranges that hold it are such as ^${sdkVersion} or ${major}.x: take a release of the plugin made for that, or an agent that fits`;
    throw KernelError.sdkMismatch({ plugin: name, range: manifest.sdk, version: sdkVersion, hint });
  }
  return manifest;
}

/** The definition that zod keeps of a schema; read by name, so that a plugin's own copy of zod will do. */
interface SchemaDefinition {
  readonly type: string;
  readonly catchall?: unknown;
  readonly shape?: unknown;
  readonly in?: unknown;
  readonly out?: unknown;
  readonly innerType?: unknown;
}

function definitionOf(schema: unknown): SchemaDefinition | undefined {
  if (typeof schema !== 'object' || schema === null || !('_zod' in schema)) return undefined;
  const inner: unknown = schema._zod;
  if (typeof inner !== 'object' || inner === null || !('def' in inner)) return undefined;
  return inner.def as SchemaDefinition;
}

/** The object that a schema checks, seen through defaults and transformations. */
function objectDefinition(schema: unknown): SchemaDefinition | undefined {
  const definition = definitionOf(schema);
  switch (definition?.type) {
    case 'object':
      return definition;
    case 'pipe':
      return objectDefinition(definition.in) ?? objectDefinition(definition.out);
    case 'default':
    case 'prefault':
    case 'readonly':
      return objectDefinition(definition.innerType);
    default:
      return undefined;
  }
}

function isStrictObjectSchema(schema: unknown): boolean {
  return definitionOf(objectDefinition(schema)?.catchall)?.type === 'never';
}

/** The option names that a configuration schema knows. */
export function optionNames(schema: unknown): readonly string[] {
  const shape = objectDefinition(schema)?.shape;
  return isPlainObject(shape) ? Object.keys(shape) : [];
}
