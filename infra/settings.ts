/**
 * What an operator decides before a deployment: CDK context under `tripoint:`, parsed once.
 *
 * Every problem is listed at once, each with its fix, before any construct exists: a deployment that
 * fails half-way through three regions costs an hour, a list costs nothing. Unknown keys under the
 * prefix are problems too. Values come as JSON from `cdk.json` or as text from `-c key=value`.
 */
import { z } from 'zod';
import { AppError } from '../lib/base/errors.ts';
import { NAME_PATTERN, TOKEN_HASH_PATTERN } from '../lib/config/schema.ts';
import { isDnsName } from '../lib/recovery/record-set.ts';
import type { ActedResources } from './acted-resources.ts';
import { type ProtectedService, readProtectedServices } from './protected-services.ts';

const CONTEXT_PREFIX = 'tripoint:';

export interface Settings {
  /** Prefix of every resource name, and what a register checks its identity by. */
  readonly clusterId: string;
  readonly account: string;
  /** Three to six, in the order of preference. The global stack lives in the first. */
  readonly regions: readonly string[];
  /** The three or five that the cluster was made with; empty = `regions`. */
  readonly founders: readonly string[];
  /** Empty where neither switches nor path A are on Route 53. */
  readonly hostedZoneId: string;
  /** A name server that takes the switches by RFC 2136; null = Route 53. */
  readonly dynamicDns: DynamicDns | null;
  /** Addresses of that zone's name servers, where a switch is verified. */
  readonly nameServers: readonly string[];
  readonly operatorTokenSha256: string;
  readonly services: readonly ProtectedService[];
  /** What plans act on beside DNS. */
  readonly acted: ActedResources;
  /** Name that path A (health checks alone) steers, for each service that wants one. */
  readonly dataPlaneNames: { readonly [service: string]: string };
  /** Route 53 asks each API this often: 30, or 10 at an extra charge. */
  readonly healthCheckIntervalSeconds: 10 | 30;
  /** Host of each region's API, when it must not be looked up in that region's stack. */
  readonly apiHosts: { readonly [region: string]: string };
  /** Who gets Tripoint's own alarms; null = nobody is subscribed. */
  readonly operatorEmail: string | null;
  /** Where the alarms' descriptions point; a section name is appended as `#name`. */
  readonly runbook: string;
  /** Off for accounts whose concurrency quota is too small to reserve any. */
  readonly reserveConcurrency: boolean;
  /** Tables and buckets go with the stack. For evaluations only. */
  readonly disposable: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

export interface DynamicDns {
  /** IP address of the zone's primary, with `:port` where it is not 53. */
  readonly server: string;
  readonly zone: string;
  readonly keyName: string;
  readonly algorithm: 'hmac-sha256' | 'hmac-sha512';
  /** Secret of Secrets Manager, of this name in each control region: the key in base64. */
  readonly secretName: string;
}

export interface SettingsProblem {
  readonly key: string;
  readonly message: string;
  readonly fix: string;
}

export type SettingsReading =
  | { readonly kind: 'valid'; readonly settings: Settings }
  | { readonly kind: 'invalid'; readonly problems: readonly SettingsProblem[] };

/** CDK context by key, and how to read a file that it names. */
export interface SettingsSource {
  readonly context: { readonly [key: string]: unknown };
  /** The text of a file; null when it cannot be read. */
  readonly readText: (path: string) => string | null;
}

/** The standard partition: the ARNs in `permissions.ts` begin with `arn:aws:`. */
const REGION_PATTERN = /^(?!cn-|us-gov-|us-iso)[a-z]{2}(-[a-z]+)+-\d$/;
const REGIONS_MIN = 3;
const REGIONS_MAX = 6;
const FOUNDER_COUNTS: readonly number[] = [3, 5];
const HOST_PATTERN = /^[a-z0-9]+\.lambda-url\.[a-z0-9-]+\.on\.aws$/;

/** `-c key=a,b` gives a text where `cdk.json` has a list. */
function listOf(item: z.ZodType<string>) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value),
    z.array(item),
  );
}

const flag = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(),
);

/** `-c key={"a":"b"}` gives a text where `cdk.json` has an object. */
function textMap(value: z.ZodType<string>) {
  return z.preprocess(
    (input) => (typeof input === 'string' ? parseJson(input) : input),
    z.record(z.string().regex(NAME_PATTERN), value),
  );
}

const contextSchema = z.strictObject({
  clusterId: z.string().regex(/^[a-z][a-z0-9-]{1,23}$/),
  account: z.coerce.string().regex(/^\d{12}$/),
  regions: listOf(z.string().regex(REGION_PATTERN)).refine(
    (regions) =>
      regions.length >= REGIONS_MIN &&
      regions.length <= REGIONS_MAX &&
      new Set(regions).size === regions.length,
  ),
  founders: listOf(z.string().regex(REGION_PATTERN))
    .refine(
      (founders) =>
        [0, ...FOUNDER_COUNTS].includes(founders.length) &&
        new Set(founders).size === founders.length,
    )
    .prefault([]),
  hostedZoneId: z
    .string()
    .regex(/^(Z[A-Z0-9]{5,31})?$/)
    .prefault(''),
  dynamicDns: z
    .preprocess(
      (input) => (typeof input === 'string' ? parseJson(input) : input),
      z
        .strictObject({
          server: z.string().regex(/^[0-9A-Fa-f.:[\]]{2,47}$/),
          zone: z.string().refine(isDnsName),
          keyName: z.string().refine(isDnsName),
          algorithm: z.enum(['hmac-sha256', 'hmac-sha512']).prefault('hmac-sha256'),
          secretName: z.string().regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/),
        })
        .nullable(),
    )
    .prefault(null),
  nameServers: listOf(z.union([z.ipv4(), z.ipv6()])).refine(({ length }) => length > 0),
  operatorTokenSha256: z.string().regex(TOKEN_HASH_PATTERN),
  config: z.string().min(1),
  dataPlaneNames: textMap(z.string().refine(isDnsName)).prefault({}),
  healthCheckIntervalSeconds: z.coerce
    .number()
    .pipe(z.union([z.literal(10), z.literal(30)]))
    .prefault(30),
  apiHosts: textMap(z.string().regex(HOST_PATTERN)).prefault({}),
  operatorEmail: z.email().nullable().prefault(null),
  runbook: z.string().min(1).max(200).prefault('docs/runbook.md'),
  reserveConcurrency: flag.prefault(true),
  disposable: flag.prefault(false),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).prefault('info'),
});

type ContextKey = keyof z.infer<typeof contextSchema>;

/** What to do about each key, in the words of `docs/operating/deploy.md`. */
export const SETTING_FIXES: { readonly [key in ContextKey]: string } = {
  clusterId: 'write 2 to 24 lower-case letters, digits and dashes, from a letter, e.g. tripoint',
  account: 'write the 12 digits of the AWS account that you deploy to',
  regions: 'list three to six different AWS regions, e.g. us-east-1,us-east-2,us-west-2',
  founders:
    'list the regions the cluster was made with, or leave it out while they are all regions',
  hostedZoneId: 'write the id of the public hosted zone that holds the service names, e.g. Z0123…',
  dynamicDns:
    'write {"server", "zone", "keyName", "secretName"} of a server with RFC 2136, or leave it out',
  nameServers: 'list the IP addresses of the name servers of the hosted zone',
  operatorTokenSha256: 'write the SHA-256 of your operator token, 64 hex digits',
  config: 'write the path of your tripoint.yaml, relative to the repository',
  dataPlaneNames: 'map services of your tripoint.yaml to DNS names, or leave it out',
  healthCheckIntervalSeconds: 'write 10 or 30',
  apiHosts: 'map regions to <id>.lambda-url.<region>.on.aws, or leave it out',
  operatorEmail: 'write one e-mail address, or leave it out',
  runbook: 'write the path or URL of the runbook, at most 200 characters',
  reserveConcurrency: 'write true or false',
  disposable: 'write true or false',
  logLevel: 'write debug, info, warn or error',
};

/** Total: every problem of the context and of the file it names is in the answer. */
export function readSettings({ context, readText }: SettingsSource): SettingsReading {
  const own = Object.entries(context).filter(([key]) => key.startsWith(CONTEXT_PREFIX));
  const parsed = contextSchema.safeParse(
    Object.fromEntries(own.map(([key, value]) => [key.slice(CONTEXT_PREFIX.length), value])),
  );
  const path = context[`${CONTEXT_PREFIX}config`];
  const reading = readServices(typeof path === 'string' ? path : '', readText);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap(problemsOf)),
    ...(reading.kind === 'invalid' ? reading.problems : []),
  ];
  if (!parsed.success || reading.kind === 'invalid') {
    return { kind: 'invalid', problems };
  }
  const { config: _config, ...rest } = parsed.data;
  const { services, acted } = reading;
  const dataPlaneNames = { ...namesOf(services), ...rest.dataPlaneNames };
  const settings: Settings = { ...rest, services, acted, dataPlaneNames };
  const contradictions = contradictionsOf(settings);
  return contradictions.length > 0
    ? { kind: 'invalid', problems: contradictions }
    : { kind: 'valid', settings };
}

/** Names of path A that the file itself gives. */
function namesOf(services: readonly ProtectedService[]): Settings['dataPlaneNames'] {
  return Object.fromEntries(
    services.flatMap(({ service, dataPlaneName }) =>
      dataPlaneName === null ? [] : [[service, dataPlaneName] as const],
    ),
  );
}

/** @throws AppError that lists every problem with its fix. */
export function settingsOrThrow(source: SettingsSource): Settings {
  const reading = readSettings(source);
  if (reading.kind === 'valid') {
    return reading.settings;
  }
  const lines = reading.problems.map(({ key, message, fix }) => `  ${key}: ${message}; ${fix}`);
  throw new AppError(`the deployment settings have problems:\n${lines.join('\n')}`, {
    code: 'settings-invalid',
    hint: 'Correct them in cdk.json, or with -c key=value; docs/operating/deploy.md lists them.',
    retryable: false,
  });
}

function readServices(path: string, readText: SettingsSource['readText']) {
  const text = path === '' ? null : readText(path);
  if (text === null) {
    const { config: fix } = SETTING_FIXES;
    const key = `${CONTEXT_PREFIX}config`;
    const problems = path === '' ? [] : [{ key, message: `cannot read ${path}`, fix }];
    return { kind: 'invalid', problems } as const;
  }
  return readProtectedServices(path, text);
}

/** Rules between settings; each setting is valid by itself. */
function contradictionsOf(settings: Settings): readonly SettingsProblem[] {
  const { services, dataPlaneNames, apiHosts, regions } = settings;
  const founders = settings.founders.length === 0 ? regions : settings.founders;
  const strangers = Object.keys(apiHosts).filter((region) => !regions.includes(region));
  return [
    ...(FOUNDER_COUNTS.includes(founders.length)
      ? []
      : [contradiction('founders', 'a cluster is made with three or five regions')]),
    ...zoneProblems(settings),
    ...strangers.map((region) => contradiction('apiHosts', `${region} is no control region`)),
    ...Object.entries(dataPlaneNames).flatMap(([name, dnsName]) => {
      const service = services.find((candidate) => candidate.service === name);
      if (service === undefined) {
        return [contradiction('dataPlaneNames', `${name} is no service of the configuration`)];
      }
      if (service.sites.length !== 2 && service.strategy !== 'active-active') {
        return [contradiction('dataPlaneNames', `${name} has not exactly two sites`)];
      }
      return services.some((other) => other.dnsName === dnsName)
        ? [contradiction('dataPlaneNames', `${dnsName} is switched by path B already`)]
        : [];
    }),
  ];
}

function zoneProblems({ hostedZoneId, dynamicDns, dataPlaneNames }: Settings) {
  const isNeeded = dynamicDns === null || Object.keys(dataPlaneNames).length > 0;
  return isNeeded && hostedZoneId === ''
    ? [contradiction('hostedZoneId', 'is not set, and switches or path A are on Route 53')]
    : [];
}

function contradiction(key: ContextKey, message: string): SettingsProblem {
  return { key: `${CONTEXT_PREFIX}${key}`, message, fix: SETTING_FIXES[key] };
}

function problemsOf(issue: z.core.$ZodIssue): readonly SettingsProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      key: `${CONTEXT_PREFIX}${key}`,
      message: 'no such setting',
      fix: `remove it, or use one of ${Object.keys(SETTING_FIXES).join(', ')}`,
    }));
  }
  const [name, ...path] = issue.path.map(String);
  const at = path.length === 0 ? '' : `${path.join('.')}: `;
  const fix = isContextKey(name) ? SETTING_FIXES[name] : 'see docs/operating/deploy.md';
  return [{ key: `${CONTEXT_PREFIX}${name ?? ''}`, message: `${at}${issue.message}`, fix }];
}

function isContextKey(key: string | undefined): key is ContextKey {
  return key !== undefined && Object.hasOwn(SETTING_FIXES, key);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The schema says what is wrong with it: a text is no object.
    void error;
    return text;
  }
}
