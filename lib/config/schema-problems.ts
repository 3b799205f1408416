/**
 * Translates what the schema complains of into what a person should write instead.
 *
 * Values are never quoted here: a value may have come from a variable that holds a secret.
 */
import type { z } from 'zod';
import { type SchemaNode, schemaNodeAt } from './json-schema.ts';
import { type Finding, formatPath, type Path } from './problem.ts';
import { NAME_PATTERN } from './schema.ts';
import { nearestName } from './suggestion.ts';
import { childOf, entriesOf, valueAt } from './tree.ts';

type Issue = z.core.$ZodIssue;

/** Every finding of the schema, and of the names that the schema leaves open. Pure; total. */
export function schemaFindings(issues: readonly Issue[], value: unknown): readonly Finding[] {
  const findings = issues.flatMap((issue) => translate(issue, value));
  const meant = new Set(findings.flatMap(({ meant: path }) => path ?? []));
  return [
    ...findings.filter(({ missing, path }) => !missing || !meant.has(formatPath(path))),
    ...nameFindings(value),
  ].map(({ path, atKey, message, fix }) => ({ path, atKey, message, fix }));
}

interface Translated extends Finding {
  /** The value is required and absent. */
  readonly missing?: boolean;
  /** Path that an unknown key was probably meant to be. */
  readonly meant?: string;
}

function translate(issue: Issue, root: unknown): readonly Translated[] {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  const node = schemaNodeAt(path);
  const found = valueAt(root, path);
  const fix = fixFor(node, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key, node));
    case 'invalid_type':
    case 'invalid_value':
      return found === undefined
        ? [{ path, atKey: true, missing: true, message: `${lastKey(path)} is missing`, fix }]
        : [
            {
              path,
              atKey: false,
              message: mismatch(node, found),
              fix,
            },
          ];
    case 'too_small':
    case 'too_big':
      return [{ path, atKey: false, message: `must be ${boundsOf(issue, node)}`, fix }];
    case 'custom':
      return [{ path, atKey: false, message: issue.message, fix }];
    default:
      return [{ path, atKey: false, message: `expected ${expectation(node)}`, fix }];
  }
}

function unknownKey(parent: Path, key: string, node: SchemaNode | null): Translated {
  const known = Object.keys(node?.properties ?? {});
  const nearest = nearestName(key, known);
  return {
    path: [...parent, key],
    atKey: true,
    message: `unknown key ${key}`,
    ...(nearest === null
      ? { fix: `use one of: ${known.join(', ')}` }
      : { fix: `did you mean ${nearest}?`, meant: formatPath([...parent, nearest]) }),
  };
}

/** `primary: us-east-1` and the like, from the schema's own example. */
function fixFor(node: SchemaNode | null, path: Path): string {
  const options = node?.enum?.join(', ');
  if (options !== undefined) {
    return `write one of: ${options}`;
  }
  const [example] = node?.examples ?? [];
  if (node?.['x-type'] === 'token hash') {
    return 'run `tripoint token new` and write the sha256:… line that it prints';
  }
  if (example !== undefined) {
    return typeof path.at(-1) === 'number'
      ? `write ${String(example)}`
      : `write ${lastKey(path)}: ${String(example)}`;
  }
  const keys = Object.keys(node?.properties ?? {});
  return keys.length > 0
    ? `write a map with the keys ${keys.join(', ')}`
    : 'write a map: one indented `name:` for each, with its keys below';
}

function mismatch(node: SchemaNode | null, found: unknown): string {
  const scalar = typeof found !== 'object';
  return scalar && (node?.enum ?? node?.const) !== undefined
    ? `must be ${expectation(node)}`
    : `expected ${expectation(node)}, found ${kindOf(found)}`;
}

function expectation(node: SchemaNode | null): string {
  if (node?.const !== undefined) {
    return String(node.const);
  }
  const type = node?.['x-type'] ?? 'map';
  if (node?.enum !== undefined) {
    return `one of ${node.enum.join(', ')}`;
  }
  return /^(URL|one|IPv4|IPv6)/.test(type) ? `${type === 'URL' ? 'a URL' : type}` : `a ${type}`;
}

function boundsOf(issue: Issue, node: SchemaNode | null): string {
  if (node?.minimum !== undefined && node.maximum !== undefined) {
    return `${node.minimum} to ${node.maximum}`;
  }
  return issue.code === 'too_small'
    ? `${String(issue.minimum)} or more ${UNITS[issue.origin] ?? ''}`.trim()
    : issue.code === 'too_big'
      ? `${String(issue.maximum)} or fewer ${UNITS[issue.origin] ?? ''}`.trim()
      : 'within its bounds';
}

const UNITS: { readonly [origin: string]: string } = { array: 'entries', string: 'characters' };

/** Names of services, of monitors and of their sites: keys, which the schema leaves open. */
function nameFindings(value: unknown): readonly Finding[] {
  return ['services', 'monitors'].flatMap((kind) =>
    entriesOf(childOf(value, kind)).flatMap(([service, body]) => [
      ...nameFinding([kind, service]),
      ...entriesOf(childOf(body, 'sites')).flatMap(([site]) =>
        nameFinding([kind, service, 'sites', site]),
      ),
    ]),
  );
}

function nameFinding(path: readonly string[]): readonly Finding[] {
  const name = path.at(-1) ?? '';
  return NAME_PATTERN.test(name)
    ? []
    : [
        {
          path,
          atKey: true,
          message: `${JSON.stringify(name)} is not a name`,
          fix: 'use lower-case letters, digits and dashes, first a letter, at most 63 characters',
        },
      ];
}

function kindOf(value: unknown): string {
  if (value === null) {
    return 'nothing';
  }
  if (Array.isArray(value)) {
    return 'a list';
  }
  return typeof value === 'object' ? 'a map' : `a ${typeof value}`;
}

function lastKey(path: Path): string {
  return String(path.at(-1) ?? 'the file');
}
