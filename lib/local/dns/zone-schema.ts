/**
 * The JSON forms of the embedded zone's control plane, shared by its server and its client, so that
 * neither trusts what the other sends.
 */
import { z } from 'zod';
import { SWITCH_LIMITS } from '../../recovery/switch-limits.ts';
import { DNS_LIMITS } from './limits.ts';

export const recordSetSchema = z.strictObject({
  name: z.string().min(1).max(254),
  type: z.enum(['A', 'AAAA', 'CNAME', 'TXT']),
  ttlSeconds: z.int().min(0).max(SWITCH_LIMITS.ttlSecondsMax),
  values: z.array(z.string()).min(1).max(SWITCH_LIMITS.recordsPerBatchMax),
  weighted: z
    .strictObject({
      id: z.string().min(1).max(63),
      weight: z.int().min(0).max(SWITCH_LIMITS.weightMax),
    })
    .exactOptional(),
});

export const changeRequestSchema = z.strictObject({
  comment: z.string().max(DNS_LIMITS.commentCharactersMax).default(''),
  changes: z
    .array(z.strictObject({ action: z.enum(['DELETE', 'CREATE']), recordSet: recordSetSchema }))
    .max(SWITCH_LIMITS.recordsPerBatchMax),
});

export const readResponseSchema = z.object({ recordSets: z.array(recordSetSchema) });

export const changeResponseSchema = z.object({
  changeId: z.string().min(1),
  status: z.literal('in-sync'),
});

/** RFC 9457, with `code` for machines. */
export const problemSchema = z.object({ code: z.string(), detail: z.string() });
