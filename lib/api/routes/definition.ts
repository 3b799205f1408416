/** The parts that the descriptions of routes share: security, problems, content types. */
import type { z } from '@hono/zod-openapi';
import { problemSchema } from '../schemas.ts';

export const OPERATOR_TOKEN = 'operatorToken';
export const SITE_TOKEN = 'siteToken';

/** Everything that is not a success is a problem; its `code` says which. */
export const PROBLEM_RESPONSE = {
  description: 'A problem (RFC 9457). Programs match `code`.',
  content: { 'application/problem+json': { schema: problemSchema } },
} as const;

export function jsonResponse<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } } as const;
}

export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { 'application/json': { schema } } } as const;
}

/** Readers need the token only where reads are not open. */
export const READ_SECURITY: Record<string, string[]>[] = [{}, { [OPERATOR_TOKEN]: [] }];
export const COMMAND_SECURITY: Record<string, string[]>[] = [{ [OPERATOR_TOKEN]: [] }];
export const SITE_SECURITY: Record<string, string[]>[] = [{ [SITE_TOKEN]: [] }];
