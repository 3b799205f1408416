/**
 * From the text of a configuration file to policies, or to the list of everything that is wrong.
 *
 * All problems at once: syntax, references, shapes, ranges, names and relations are looked at in
 * one pass, each with its line, so that a file is corrected in one round and not in ten. Nothing is
 * half applied: either every policy is valid or there are none.
 */
import type { MonitorPolicy, ServicePolicy } from '../recovery/policy.ts';
import { canonicalConfiguration, hashConfiguration } from './configuration-hash.ts';
import type { Variables } from './expansion.ts';
import { draftOf, inFile } from './file-draft.ts';
import { type ConfigurationFile, fileSchema } from './file-schema.ts';
import { CONFIG_LIMITS } from './limits.ts';
import { monitorFindings } from './monitor-draft.ts';
import { normalise, normaliseMonitors } from './normalise.ts';
import type { Finding, Problem } from './problem.ts';
import { recoveryFindings } from './recovery-draft.ts';
import { checkRelations } from './relations.ts';
import { schemaFindings } from './schema-problems.ts';
import { hashTokens } from './token-hashing.ts';
import { entriesOf, isMapping, valueAt } from './tree.ts';
import {
  expandDocument,
  plainValue,
  positioned,
  problemAt,
  readYaml,
  sourceAt,
} from './yaml-document.ts';

export type ParsedConfiguration =
  | {
      readonly kind: 'valid';
      readonly policies: readonly ServicePolicy[];
      readonly monitors: readonly MonitorPolicy[];
      /** SHA-256 (hex) of the canonical JSON of policies and monitors. */
      readonly hash: string;
    }
  /** In order of lines; at least one. */
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] };

/**
 * Parses and validates a file.
 *
 * @param variables what `${NAME}` stands for; an empty value counts as missing.
 */
export function parseConfiguration(text: string, variables: Variables): ParsedConfiguration {
  if (text.length > CONFIG_LIMITS.fileCharactersMax) {
    const message = `${text.length} characters; at most ${CONFIG_LIMITS.fileCharactersMax} are read`;
    return invalid([{ ...START, message, fix: 'split the fleet over two clusters' }]);
  }
  const yaml = readYaml(text);
  if (!yaml.readable) {
    return invalid(yaml.problems);
  }
  const { findings, referenced } = expandDocument(yaml.document, variables);
  const unfolded = plainValue(yaml.document);
  if ('failure' in unfolded) {
    const fix = 'write the values out instead of using so many aliases';
    return invalid([{ ...START, message: unfolded.failure, fix }]);
  }
  const { value } = unfolded;
  const tokenFindings = hashTokens(value, (path) => referenced.has(sourceAt(yaml, path)));
  const checked = check(value);
  const unset = findings.map((finding) => problemAt(yaml, finding));
  const others = [...tokenFindings, ...checked.findings].map((finding) =>
    positioned(yaml, finding),
  );
  const problems = [...yaml.problems, ...unset, ...others.filter(isElsewhere(unset))];
  return problems.length > 0 || checked.file === null
    ? invalid(problems)
    : valid(normalise(checked.file), normaliseMonitors(checked.file));
}

const START = { path: '', line: 1, column: 1 } as const;

function invalid(problems: readonly Problem[]): ParsedConfiguration {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const listed = sorted.slice(0, CONFIG_LIMITS.problemsMax);
  const left = sorted.length - listed.length;
  const last = sorted[listed.length];
  const more = { message: `and ${left} more problems`, fix: 'correct those above first' };
  return {
    kind: 'invalid',
    problems: last === undefined ? listed : [...listed, { ...last, ...more, path: '' }],
  };
}

/** A configuration that fits into one command of the log, or the one problem that it does not. */
function valid(
  policies: readonly ServicePolicy[],
  monitors: readonly MonitorPolicy[],
): ParsedConfiguration {
  const bytes = Buffer.byteLength(canonicalConfiguration(policies, monitors));
  if (bytes > CONFIG_LIMITS.policiesBytesMax) {
    const message = `${bytes} bytes as policies; one cluster takes ${CONFIG_LIMITS.policiesBytesMax}`;
    return invalid([{ ...START, message, fix: 'split the fleet over two clusters' }]);
  }
  return { kind: 'valid', policies, monitors, hash: hashConfiguration(policies, monitors) };
}

/** A value whose variable is missing is also of the wrong shape: the first is enough. */
function isElsewhere(known: readonly Problem[]) {
  const places = new Set(known.map(({ line, column }) => `${line}:${column}`));
  return ({ line, column }: Problem) => !places.has(`${line}:${column}`);
}

interface Checked {
  readonly file: ConfigurationFile | null;
  readonly findings: readonly Finding[];
}

function check(value: unknown): Checked {
  const parsed = fileSchema.safeParse(value);
  const issues = parsed.success ? [] : parsed.error.issues;
  const services = entriesOf(valueAt(value, ['services']));
  const drafts = services.map(([service, body]) => draftOf(service, body));
  const relations = isMapping(valueAt(value, ['services'])) ? checkRelations(drafts) : [];
  return {
    file: parsed.success ? parsed.data : null,
    findings: [
      ...schemaFindings(issues, value),
      ...relations.map((finding) => inFile(finding, drafts)),
      ...recoveryFindings(value),
      ...monitorFindings(value),
    ],
  };
}
