/**
 * The one file that reads `process.env`: from strings that anyone may have set to frozen, typed
 * settings, or to the list of everything that is wrong with them.
 *
 * A function reads its settings once, at cold start, and refuses to start on a half-valid set: an
 * alarm on failed starts is clearer than a region that quietly answers with a wrong table.
 */
import { isIP } from 'node:net';
import { AppError } from '../base/errors.ts';
import { type RegionId, regionId } from '../base/identifiers.ts';
import type { LogLevel } from '../base/log.ts';
import type { Variables } from './expansion.ts';
import { ENVIRONMENT } from './names.ts';
import { NAME_PATTERN, TOKEN_HASH_PATTERN } from './schema.ts';
import {
  type DynamicDnsSettings,
  isRoute53,
  readDataPlaneNames,
  readDynamicDns,
  serverText,
} from './switch-settings.ts';

/** What every Lambda function of one control region knows. */
export interface LambdaSettings {
  readonly clusterId: string;
  /** Three to six control regions, this one among them; more than vote while one replaces another. */
  readonly regions: readonly RegionId[];
  /** The three or five regions that the cluster was made with. */
  readonly founders: readonly RegionId[];
  readonly region: RegionId;
  readonly consensusTable: string;
  readonly healthTable: string;
  /** Bucket of each control region. */
  readonly buckets: ReadonlyMap<RegionId, string>;
  /** Empty with `dynamicDns`. */
  readonly hostedZoneId: string;
  /** Addresses of the zone's own name servers, as `node:dns` takes them, at least one. */
  readonly nameServers: readonly string[];
  /** The name server that takes the switches by RFC 2136; null = Route 53. */
  readonly dynamicDns: DynamicDnsSettings | null;
  /** Name that path A steers, by service. */
  readonly dataPlaneNames: ReadonlyMap<string, string>;
  /** Accepted operator tokens as SHA-256 (hex); none = no commands are taken. */
  readonly operatorTokenHashes: readonly string[];
  readonly logLevel: LogLevel;
}

export interface EnvironmentProblem {
  /** The variable. */
  readonly name: string;
  readonly message: string;
  readonly fix: string;
}

export type LambdaSettingsOutcome =
  | { readonly kind: 'valid'; readonly settings: LambdaSettings }
  | { readonly kind: 'invalid'; readonly problems: readonly EnvironmentProblem[] };

/** The variables of this process, for `${NAME}` references in a configuration file. */
export function processVariables(): Variables {
  return process.env;
}

/** A secret that a policy names, such as the key of a webhook's signature; null = it is not set. */
export function secretVariable(name: string): string | null {
  return process.env[name] ?? null;
}

/** @throws AppError `environment-invalid`, whose message lists every problem. */
export function requireLambdaSettings(variables: Variables = process.env): LambdaSettings {
  const outcome = parseLambdaSettings(variables);
  if (outcome.kind === 'valid') {
    return outcome.settings;
  }
  const list = outcome.problems.map(({ name, message, fix }) => `${name}: ${message}; ${fix}`);
  throw new AppError(`the environment of this function is not valid:\n${list.join('\n')}`, {
    code: 'environment-invalid',
    hint: 'Deploy the regional stack again: it sets these variables.',
    retryable: false,
  });
}

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const REGIONS_MIN = 3;
const REGIONS_MAX = 6;
const CLUSTER_SIZES: readonly number[] = [3, 5];
const NO_TOKEN_HASH: string = '0'.repeat(64);

/** Pure; lists every problem, not the first. An empty variable counts as missing. */
export function parseLambdaSettings(variables: Variables): LambdaSettingsOutcome {
  const problems: EnvironmentProblem[] = [];
  const reader: Reader = {
    text: (name) => variables[name]?.trim() ?? '',
    refuse: (name, message, fix) => {
      problems.push({ name, message, fix });
    },
  };
  const regions = readRegions(reader, ENVIRONMENT.regions, {
    isCount: (count) => count >= REGIONS_MIN && count <= REGIONS_MAX,
    form: '3 to 6',
  });
  const founders = readFounders(reader, regions);
  const dynamicDns = readDynamicDns(reader);
  const tokenHash = readMatching(reader, ENVIRONMENT.operatorTokenHash, {
    pattern: TOKEN_HASH_PATTERN,
    form: 'a SHA-256 as 64 lower-case hex digits',
  });
  const settings: LambdaSettings = Object.freeze({
    clusterId: readMatching(reader, ENVIRONMENT.clusterId, {
      pattern: NAME_PATTERN,
      form: 'lower-case letters, digits and dashes, first a letter',
    }),
    regions,
    founders,
    region: readRegion(reader, regions),
    consensusTable: readMatching(reader, ENVIRONMENT.consensusTable, TABLE_NAME),
    healthTable: readMatching(reader, ENVIRONMENT.healthTable, TABLE_NAME),
    buckets: readBuckets(reader, regions),
    hostedZoneId: isRoute53(reader) ? readMatching(reader, ENVIRONMENT.hostedZoneId, ZONE_ID) : '',
    nameServers: dynamicDns?.nameServers.map(serverText) ?? readNameServers(reader),
    dynamicDns,
    dataPlaneNames: readDataPlaneNames(reader),
    operatorTokenHashes: tokenHash === NO_TOKEN_HASH ? [] : [tokenHash],
    logLevel: readLogLevel(reader),
  });
  if (settings.consensusTable !== '' && settings.consensusTable === settings.healthTable) {
    const fix = 'name the two tables of the regional stack';
    reader.refuse(ENVIRONMENT.healthTable, 'is the consensus table too', fix);
  }
  return problems.length === 0 ? { kind: 'valid', settings } : { kind: 'invalid', problems };
}

interface Reader {
  readonly text: (name: string) => string;
  readonly refuse: (name: string, message: string, fix: string) => void;
}

interface Form {
  readonly pattern: RegExp;
  readonly form: string;
}

const TABLE_NAME: Form = {
  pattern: /^[A-Za-z0-9._-]{3,255}$/,
  form: 'a DynamoDB table name',
};
const ZONE_ID: Form = {
  pattern: /^[A-Z0-9]{1,32}$/,
  form: 'a Route 53 zone id in capital letters and digits, without /hostedzone/',
};
const BUCKET_PATTERN = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

function readMatching(reader: Reader, name: string, { pattern, form }: Form): string {
  const text = reader.text(name);
  if (!pattern.test(text)) {
    reader.refuse(name, text === '' ? 'is not set' : 'has the wrong form', `set it to ${form}`);
  }
  return text;
}

/** All control regions, unless one is being replaced or was. */
function readFounders(reader: Reader, regions: readonly RegionId[]): readonly RegionId[] {
  const isLeftOut = reader.text(ENVIRONMENT.founders) === '';
  const isUnsaid = regions.length >= REGIONS_MIN && !CLUSTER_SIZES.includes(regions.length);
  if (isLeftOut && !isUnsaid) {
    return regions;
  }
  return readRegions(reader, ENVIRONMENT.founders, {
    isCount: (count) => CLUSTER_SIZES.includes(count),
    form: '3 or 5',
  });
}

interface CountForm {
  readonly isCount: (count: number) => boolean;
  readonly form: string;
}

function readRegions(
  reader: Reader,
  name: string,
  { isCount, form }: CountForm,
): readonly RegionId[] {
  const names = listOf(reader.text(name));
  const valid = names.filter((region) => NAME_PATTERN.test(region));
  const distinct = new Set(valid).size === names.length;
  if (!distinct || !isCount(names.length)) {
    const message = names.length === 0 ? 'is not set' : 'is not a list of control regions';
    reader.refuse(name, message, `set it to ${form} different regions, separated by commas`);
  }
  return valid.map(regionId);
}

function readRegion(reader: Reader, regions: readonly RegionId[]): RegionId {
  const text = reader.text(ENVIRONMENT.region);
  const region = regions.find((known) => known === text);
  if (region === undefined) {
    const message = text === '' ? 'is not set' : 'is not one of the control regions';
    reader.refuse(ENVIRONMENT.region, message, `use one of those in ${ENVIRONMENT.regions}`);
  }
  return region ?? regionId('unknown');
}

function readBuckets(reader: Reader, regions: readonly RegionId[]): ReadonlyMap<RegionId, string> {
  const name = ENVIRONMENT.buckets;
  const fix = 'set it to region=bucket for each control region, separated by commas';
  const pairs = listOf(reader.text(name)).map((pair) => pair.split('='));
  const buckets = new Map<RegionId, string>();
  for (const [label = '', bucket = '', ...rest] of pairs) {
    const region = regions.find((known) => known === label);
    if (region === undefined || !BUCKET_PATTERN.test(bucket) || rest.length > 0) {
      reader.refuse(name, `${JSON.stringify(label)} has no region or no bucket name`, fix);
    } else if (buckets.has(region)) {
      reader.refuse(name, `${label} stands twice`, fix);
    } else {
      buckets.set(region, bucket);
    }
  }
  const missing = regions.filter((region) => !buckets.has(region));
  if (missing.length > 0 || pairs.length === 0) {
    reader.refuse(name, `no bucket for ${missing.join(', ') || 'any region'}`, fix);
  }
  return buckets;
}

function readNameServers(reader: Reader): readonly string[] {
  const addresses = listOf(reader.text(ENVIRONMENT.nameServers));
  const wrong = addresses.filter((address) => isIP(address) === 0);
  if (addresses.length === 0 || wrong.length > 0) {
    const message = addresses.length === 0 ? 'is not set' : `${wrong.join(', ')} is no IP address`;
    const fix = 'set it to the addresses of the name servers of the hosted zone, with commas';
    reader.refuse(ENVIRONMENT.nameServers, message, fix);
  }
  return addresses;
}

function readLogLevel(reader: Reader): LogLevel {
  const text = reader.text(ENVIRONMENT.logLevel);
  const level = LOG_LEVELS.find((known) => known === text.toLowerCase());
  if (level === undefined && text !== '') {
    const fix = `set it to one of: ${LOG_LEVELS.join(', ')}`;
    reader.refuse(ENVIRONMENT.logLevel, 'is not a level', fix);
  }
  return level ?? 'info';
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Environment variables of the command line, as `docs/cli.md` lists them. */
export const CLI_ENVIRONMENT = {
  /** URLs of the control regions, separated by commas. */
  endpoints: 'TRIPOINT_ENDPOINTS',
  /** Operator token. */
  token: 'TRIPOINT_TOKEN',
  /** Any value turns colour off (https://no-color.org). */
  noColor: 'NO_COLOR',
  /** Any value turns colour on, also when the output is not a terminal. */
  forceColor: 'FORCE_COLOR',
  terminal: 'TERM',
  /** What npm runs; set by npm. */
  npmEvent: 'npm_lifecycle_event',
} as const;

/**
 * Environment variables of `tripoint agent`; each stands for the flag of that name. The shell agent
 * reads the same ones, so that one file configures either.
 */
export const AGENT_ENVIRONMENT = {
  /** Token of the site. Never a flag: arguments can be read by everyone on the machine. */
  token: 'TRIPOINT_AGENT_TOKEN',
  tokenFile: 'TRIPOINT_AGENT_TOKEN_FILE',
  service: 'TRIPOINT_AGENT_SERVICE',
  site: 'TRIPOINT_AGENT_SITE',
  /** Separated by commas. */
  endpoints: 'TRIPOINT_AGENT_ENDPOINTS',
  interval: 'TRIPOINT_AGENT_INTERVAL',
  checkUrl: 'TRIPOINT_AGENT_CHECK_URL',
  checkCommand: 'TRIPOINT_AGENT_CHECK_COMMAND',
  checkInterval: 'TRIPOINT_AGENT_CHECK_INTERVAL',
  checkTimeout: 'TRIPOINT_AGENT_CHECK_TIMEOUT',
  lagCommand: 'TRIPOINT_AGENT_LAG_COMMAND',
  onPromote: 'TRIPOINT_AGENT_ON_PROMOTE',
  onDemote: 'TRIPOINT_AGENT_ON_DEMOTE',
  promoteTimeout: 'TRIPOINT_AGENT_PROMOTE_TIMEOUT',
  demoteTimeout: 'TRIPOINT_AGENT_DEMOTE_TIMEOUT',
  /** `1` = on, as for the next. */
  shell: 'TRIPOINT_AGENT_SHELL',
  leavingOnExit: 'TRIPOINT_AGENT_LEAVING_ON_EXIT',
} as const;

export interface CliSettings {
  /** As written, not yet checked; none = not set. */
  readonly endpoints: readonly string[];
  readonly token: string | null;
  /** What the environment wants; `null` = it does not say. */
  readonly colour: boolean | null;
  /** How commands are typed here, so that suggested ones work as printed. */
  readonly programName: string;
}

const PROGRAM_NAMES: ReadonlyMap<string, string> = new Map([
  ['npx', 'npx tripoint'],
  ['tripoint', 'npm run -s tripoint --'],
]);

/** Pure; total. What is set on the command line wins over these. */
export function parseCliSettings(variables: Variables): CliSettings {
  const text = (name: string) => variables[name]?.trim() ?? '';
  const plain = text(CLI_ENVIRONMENT.noColor) !== '' || text(CLI_ENVIRONMENT.terminal) === 'dumb';
  const forced = !['', '0', 'false'].includes(text(CLI_ENVIRONMENT.forceColor));
  return Object.freeze({
    endpoints: listOf(text(CLI_ENVIRONMENT.endpoints)),
    token: text(CLI_ENVIRONMENT.token) === '' ? null : text(CLI_ENVIRONMENT.token),
    colour: plain ? false : forced ? true : null,
    programName: PROGRAM_NAMES.get(text(CLI_ENVIRONMENT.npmEvent)) ?? 'tripoint',
  });
}
