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
export function validationProblem(validated: Validated, c: ApiContext): ProblemResponse | undefined {
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
      : `${first.path}: ${first.message}${more === 0 ? '' : ` (and ${more} more)`}`;
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
    const [message = '', ...fix] = issue.message.split('; ');
    return { path, message, fix: fix.join('; ') || 'correct the value' };
  }
  return { path, message: issue.message, fix: fixFor(issue) };
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
      return `at least ${issue.minimum}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    default:
      return 'correct the value; /openapi.json describes it';
  }
}

/** `policies[0].sites[1].address`. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part).slice(0, 100)}`))
    .join('')
    .replace(/^\./, '');
}
