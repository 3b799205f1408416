/**
 * What a validator found, as problems a person can act on: where, what, and what to do.
 *
 * All of them at once: an operator who fixes one mistake per request gives up at the third.
 */
import type { z } from '@hono/zod-openapi';
import type { ApiContext } from './dependencies.ts';
import { type FieldError, type ProblemResponse, problem } from './errors.ts';
import { API_LIMITS } from './limits.ts';

type Issue = z.core.$ZodIssue;

interface Validated {
  readonly target: string;
  readonly success: boolean;
  readonly error?: { readonly issues: readonly Issue[] };
}

/** The hook of every validated route: a problem, or nothing when the request is valid. */
export function validationProblem(
  validated: Validated,
  c: ApiContext,
): ProblemResponse | undefined {
  if (validated.success || validated.error === undefined) {
    return undefined;
  }
  const prefix = PREFIXES[validated.target] ?? '';
  const all = validated.error.issues.map((issue) => fieldError(prefix, issue));
  const errors = all.slice(0, API_LIMITS.problemErrorsMax);
  const [first] = errors;
  const more = all.length - 1;
  const detail =
    first === undefined
      ? 'the request is not valid'
      : `${first.path} ${first.message}${more === 0 ? '' : ` (and ${more} more)`}`;
  return problem(c, 'validation-failed', { detail, errors });
}

const PREFIXES: { readonly [target: string]: string | undefined } = {
  param: 'path.',
  query: 'query.',
  header: 'header.',
  json: '',
};

function fieldError(prefix: string, issue: Issue): FieldError {
  const path = `${prefix}${pathText(issue.path)}` || 'body';
  if (issue.code === 'custom') {
    // The schemas of lib/config write `what; what to do`.
    const end = issue.message.lastIndexOf('; ');
    return end < 0
      ? { path, message: issue.message, fix: 'correct the value' }
      : { path, message: issue.message.slice(0, end), fix: issue.message.slice(end + 2) };
  }
  return { path, message: messageOf(issue), fix: fixFor(issue) };
}

/** In words for people; Zod speaks of inputs. */
function messageOf(issue: Exclude<Issue, { code: 'custom' }>): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined') ? 'is missing' : 'has the wrong type';
    case 'unrecognized_keys':
      return 'has members that are not known here';
    case 'invalid_value':
      return 'is not one of the allowed values';
    case 'too_small':
      return issue.origin === 'string' ? 'is too short' : 'is too small';
    case 'too_big':
      return issue.origin === 'string' ? 'is too long' : 'is too large';
    case 'invalid_format':
      return `is malformed: ${issue.message}`;
    default:
      return 'is not valid';
  }
}

function fixFor(issue: Exclude<Issue, { code: 'custom' }>): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return `remove or correct: ${issue.keys.slice(0, 10).join(', ').slice(0, 200)}`;
    case 'invalid_type':
      return `give a value of type ${issue.expected}`;
    case 'invalid_value':
      return `use one of: ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`;
    case 'too_big':
      return `at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`;
    default:
      return 'correct the value; /openapi.json describes it';
  }
}

const UNITS: { readonly [origin: string]: string | undefined } = {
  string: ' characters',
  array: ' entries',
};

/** `policies[0].sites[1].address`. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part).slice(0, 100)}`))
    .join('')
    .replace(/^\./, '');
}
