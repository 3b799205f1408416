// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the page explains such references.
/** Renders `docs/configuration.md` from the schema, the rules and the names of the variables. */
import { readFileSync } from 'node:fs';
import { formatDuration } from '../../lib/config/duration.ts';
import { FILE_NODE, type SchemaNode } from '../../lib/config/json-schema.ts';
import { CONFIG_LIMITS } from '../../lib/config/limits.ts';
import { MONITOR_RULES } from '../../lib/config/monitor-relations.ts';
import { ENVIRONMENT } from '../../lib/config/names.ts';
import { PLAN_RULES } from '../../lib/config/plan-relations.ts';
import { PROBE_RULES } from '../../lib/config/probe-rules.ts';
import { RECOVERY_RULES } from '../../lib/config/recovery-relations.ts';
import { FLEET_RULES, SERVICE_RULES } from '../../lib/config/relations.ts';
import { defaultOfStep, STEP_KEYS, STEP_KINDS } from '../../lib/config/step-file.ts';
import { markdownTable } from './generated-page.ts';

export function renderConfigurationPage(): string {
  const parts = [
    INTRODUCTION,
    `\`\`\`yaml\n${readFileSync('docs/examples/tripoint.yaml', 'utf8').trimEnd()}\n\`\`\``,
    EXAMPLES,
    '## Keys',
    'Unknown keys are errors. Names of services, monitors and sites have lower-case letters, digits and dashes, begin with a letter, and are at most 63 characters long.',
    ...sections(),
    ...STEP_KINDS_SECTION,
    '## Rules between values',
    [
      ...[...SERVICE_RULES, ...PROBE_RULES, ...RECOVERY_RULES].map(({ sentence }) => sentence),
      ...PLAN_RULES,
      ...FLEET_RULES,
      ...MONITOR_RULES,
    ]
      .map((sentence) => `- ${sentence}`)
      .join('\n'),
    FORMATS,
    '## Variables of the functions on AWS',
    'The stacks set these; a function that finds one missing or malformed refuses to start and lists all of them.',
    markdownTable(
      ['variable', 'meaning'],
      Object.entries(ENVIRONMENT).map(([key, name]) => [
        `\`${name}\``,
        VARIABLE_MEANINGS[key as keyof typeof ENVIRONMENT],
      ]),
    ),
    'Variables of the command line: [cli.md](cli.md#environment).',
  ];
  return `${parts.join('\n\n')}\n`;
}

const INTRODUCTION = `<!-- Generated from lib/config; change it there and run UPDATE_DOCS=1 npm test -- test/docs -->

# Configuration

One YAML file says what is protected: services, their sites, and when to act. Under \`monitors\` it
says what is only watched: hosts that beat, jobs that run by a schedule. How they beat:
[heartbeats.md](heartbeats.md).

- \`tripoint validate FILE\` lists every problem at once, each with its line and a fix.
- \`tripoint apply FILE --dry-run\` shows what would change; without \`--dry-run\` it changes it.
- Editors complete and check the file when its first line is
  \`# yaml-language-server: $schema=…/docs/tripoint.schema.json\`.

The file is parsed into policies, which enter the log as one entry: all of it applies, or nothing.
Services and monitors that are no longer in the file are forgotten; DNS records stay as they are.`;

const EXAMPLES = `More to begin with: [a warm standby](examples/warm-standby.yaml) with a database, leases and weekly
practice; [three sites that all serve](examples/active-active.yaml); [a pilot light](examples/pilot-light.yaml)
with a plan of its own; [a fast one](examples/fast-recovery.yaml), for more writes and queries. The one above
whole: [tripoint.yaml](examples/tripoint.yaml).`;

const STEP_MEANINGS: { readonly [kind in (typeof STEP_KINDS)[number]]: string } = {
  approve: 'Waits until a second person says so: `tripoint approve`, or `tripoint reject`.',
  'child-plan': 'Begins a failover of another service, and waits for its end.',
  database: 'Promotes what the target has of the `database`.',
  fence: 'Takes the role from the source; done when its lease must have lapsed.',
  hold: 'Lets the shares stand for a while; an alarm or a verdict against the target fails it.',
  lambda: 'Calls a function with what it must know of the run; repeats carry the same token.',
  notify: 'Tells somebody.',
  propagate: "Waits until the name's own servers answer with the new records.",
  report: 'Writes the evidence. Every run ends with it, written or not.',
  restore: 'Makes a new table from the newest copy of one.',
  routing:
    'Waits until health checks, which need no control plane, give the traffic to the target.',
  scale: 'Makes the capacity of a site as large as it says, and waits until it is there.',
  snapshot: 'Copies a table.',
  switch: 'Makes the name resolve to the target, with all of the traffic.',
  verify: 'Asks the target as a client would.',
  'wait-healthy': 'Waits until a quorum finds the site healthy, for as long as it says.',
  'wait-replication': 'Waits until the target has the data, but for `maxLag`.',
  webhook: 'POSTs to a URL; the body is signed where there is a secret.',
  weights: 'Gives the target a share of the traffic; the others keep the rest.',
};

const STEP_KINDS_SECTION = [
  '### Kinds of steps',
  'What a step does is its `do`. Every kind may have `name`, `essential`, `timeout`, `attempts`, `mode`, `when` and `undo`; other keys are errors.',
  markdownTable(
    ['do', 'what it does', 'needs', 'may have', 'timeout', 'attempts', 'essential'],
    STEP_KINDS.map((kind) => {
      const { required, optional } = STEP_KEYS[kind];
      const { timeoutMs, attemptsMax, essential } = defaultOfStep(kind);
      const keys = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');
      const numbers = [formatDuration(timeoutMs), String(attemptsMax), String(essential)];
      return [`\`${kind}\``, STEP_MEANINGS[kind], keys(required), keys(optional), ...numbers];
    }),
  ),
];

const FORMATS = `## Formats

**Durations** are a whole number and one unit: \`500ms\`, \`30s\`, \`5m\`, \`1h\`.

**Cron expressions** have five fields (minute, hour, day of month, month, day of week) or are one of
\`@hourly\`, \`@daily\`, \`@weekly\`, \`@monthly\`, \`@yearly\`; \`L\` is the last day, \`MON#1\` the first Monday.
In the night that lacks an hour a job in it is expected when the hour would have begun; in the night that
has an hour twice, once. A job that runs each hour is expected each hour that passes.

**References**: \`\${VARIABLE}\` in a value is replaced by an environment variable when the file is
read; \`$$\` stands for one dollar sign. A variable that is not set, or is empty, is an error. A
reference changes a value and nothing else: it cannot add keys. Unquoted values are typed after
the replacement, so that \`automatic: \${AUTOMATIC}\` may be \`true\`; inside \`{ }\` and \`[ ]\` quote
the reference, because YAML reads its braces as its own.

**Tokens** are written as \`sha256:\` and 64 hex digits, as \`tripoint token new\` prints them. A
token in the clear is refused, except through a reference: then only its hash is kept, and it has
${CONFIG_LIMITS.tokenCharactersMin} to ${CONFIG_LIMITS.tokenCharactersMax} characters.

**Limits of a file**: ${CONFIG_LIMITS.fileCharactersMax} characters; the first ${CONFIG_LIMITS.problemsMax} problems are listed.`;

/** By key of ENVIRONMENT: a new variable without a meaning does not compile. */
const VARIABLE_MEANINGS: { readonly [key in keyof typeof ENVIRONMENT]: string } = {
  clusterId: 'Identity of the cluster; stands in every register and is checked on every step.',
  regions: 'Control regions, 3 to 6, separated by commas.',
  founders:
    'The 3 or 5 regions the cluster was made with; left out while they are the control regions.',
  region: 'The region of this function; one of the above. Set by Lambda.',
  consensusTable: 'DynamoDB table that holds the register of this region.',
  healthTable: 'DynamoDB table that holds the arrival windows of this region.',
  buckets: 'Bucket of each control region: `region=bucket`, separated by commas.',
  hostedZoneId: 'Route 53 zone whose records are switched, without `/hostedzone/`.',
  nameServers:
    'Authoritative name servers of the zone, separated by commas: a switch is verified there.',
  switch:
    'What moves the traffic: `route53` (default); `rfc2136`, a server with dynamic updates; `none`.',
  dnsServer: 'With `rfc2136`: IP address of the primary of the zone, `address:port` if not 53.',
  dnsZone: 'With `rfc2136`: apex of the zone that holds the service names.',
  tsigKeyName: 'With `rfc2136`: name of the TSIG key.',
  tsigAlgorithm: 'With `rfc2136`: `hmac-sha256` (default) or `hmac-sha512`.',
  tsigSecret: 'With `rfc2136`: the secret of the TSIG key, base64. Never logged.',
  dataPlaneNames:
    'Name that path A steers, for each service that has one: `service=name`, separated by commas.',
  operatorTokenHash:
    'SHA-256 of the operator token, 64 hex digits; all zeros: no command is taken.',
  logLevel: '`debug`, `info`, `warn` or `error`; default `info`.',
};

/** One section for each map of the schema, outermost first. */
function sections(): readonly string[] {
  return mapsOf(FILE_NODE, '').flatMap(({ path, node }) => [
    path === '' ? '### Top level' : `### \`${path}\``,
    ...(node.description === undefined ? [] : [node.description]),
    markdownTable(
      ['key', 'value', 'default', 'meaning'],
      Object.entries(node.properties ?? {}).map(([key, child]) => [
        `\`${key}\``,
        kindOf(child),
        defaultOf(child, node.required?.includes(key) === true),
        child.description ?? '',
      ]),
    ),
  ]);
}

/** A longer list has a section of its own. */
const ENUM_LISTED_MAX = 6;

interface MapNode {
  readonly path: string;
  readonly node: SchemaNode;
}

function mapsOf(node: SchemaNode, path: string): readonly MapNode[] {
  if (node['x-like'] !== undefined) {
    return [];
  }
  const children = Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    mapsOf(child, path === '' ? key : `${path}.${key}`),
  );
  const { additionalProperties: named } = node;
  const members = typeof named === 'object' ? mapsOf(named, `${path}.<name>`) : [];
  const listed = node.items === undefined ? [] : mapsOf(node.items, `${path}[]`);
  const own = node.properties === undefined ? [] : [{ path, node }];
  return [...own, ...children, ...members, ...listed];
}

function kindOf(node: SchemaNode): string {
  if (node.enum !== undefined && node.enum.length <= ENUM_LISTED_MAX) {
    return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  }
  if (node.const !== undefined) {
    return `\`${String(node.const)}\``;
  }
  return node['x-type'] ?? (node.properties === undefined ? 'map by name' : 'map');
}

function defaultOf(node: SchemaNode, required: boolean): string {
  if (required) {
    return '**required**';
  }
  const computed = node['x-default'];
  return computed ?? (isMap(node.default) ? 'see below' : `\`${String(node.default)}\``);
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
