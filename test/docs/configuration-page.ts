// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the page explains such references.
/** Renders `docs/configuration.md` from the schema, the rules and the names of the variables. */
import { readFileSync } from 'node:fs';
import { FILE_NODE, type SchemaNode } from '../../lib/config/json-schema.ts';
import { CONFIG_LIMITS } from '../../lib/config/limits.ts';
import { MONITOR_RULES } from '../../lib/config/monitor-relations.ts';
import { ENVIRONMENT } from '../../lib/config/names.ts';
import { PROBE_RULES } from '../../lib/config/probe-rules.ts';
import { FLEET_RULES, SERVICE_RULES } from '../../lib/config/relations.ts';
import { markdownTable } from './generated-page.ts';

export function renderConfigurationPage(): string {
  const parts = [
    INTRODUCTION,
    `\`\`\`yaml\n${readFileSync('docs/examples/tripoint.yaml', 'utf8').trimEnd()}\n\`\`\``,
    '## Keys',
    'Unknown keys are errors. Names of services, monitors and sites have lower-case letters, digits and dashes, begin with a letter, and are at most 63 characters long.',
    ...sections(),
    '## Rules between values',
    [
      ...[...SERVICE_RULES, ...PROBE_RULES].map(({ sentence }) => sentence),
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

interface MapNode {
  readonly path: string;
  readonly node: SchemaNode;
}

function mapsOf(node: SchemaNode, path: string): readonly MapNode[] {
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
  if (node.enum !== undefined) {
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
