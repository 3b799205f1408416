/** The strict schema of a probe in a normalised policy: every value there, in its final unit. */
import { z } from 'zod';
import type { ProbePolicy } from '../recovery/probe-policy.ts';
import { CONFIG_LIMITS } from './limits.ts';
import { checkProbe } from './probe-rules.ts';
import { parseProbeTarget } from './probe-target.ts';

const host = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[A-Za-z0-9_.:-]+$/, 'a host name or an address');
const port = z.int().min(1).max(65_535);
const serverName = host.nullable();
const certificateDaysMin = z.int().min(0).max(CONFIG_LIMITS.certificateDaysMax);
const pace = {
  intervalMs: z.int().min(CONFIG_LIMITS.probeIntervalMsMin).max(CONFIG_LIMITS.probeIntervalMsMax),
  timeoutMs: z.int().min(CONFIG_LIMITS.probeTimeoutMsMin).max(CONFIG_LIMITS.probeTimeoutMsMax),
  rise: z.int().min(1).max(CONFIG_LIMITS.probeCountMax),
  fall: z.int().min(1).max(CONFIG_LIMITS.probeCountMax),
};
const status = z.int().min(100).max(599);

function isDnsTarget(name: string, server: string | null): boolean {
  return parseProbeTarget(`dns:${server === null ? '' : `//${server}/`}${name}`)?.kind === 'dns';
}

export const probePolicySchema: z.ZodType<ProbePolicy> = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('http'),
      url: z
        .string()
        .refine(
          (text) => parseProbeTarget(text)?.kind === 'http',
          'an http or https URL without credentials or fragment',
        ),
      method: z.enum(['GET', 'HEAD']),
      statusMin: status,
      statusMax: status,
      latencyMsMax: z.int().min(1).max(CONFIG_LIMITS.probeTimeoutMsMax).nullable(),
      bodyContains: z.string().min(1).max(CONFIG_LIMITS.probeTextCharactersMax).nullable(),
      serverName,
      certificateDaysMin,
      ...pace,
    }),
    z.strictObject({ kind: z.literal('tcp'), host, port, ...pace }),
    z.strictObject({
      kind: z.literal('tls'),
      host,
      port,
      serverName,
      certificateDaysMin,
      ...pace,
    }),
    z
      .strictObject({
        kind: z.literal('dns'),
        name: z.string(),
        recordType: z.enum(['A', 'AAAA', 'CNAME', 'TXT']),
        expected: z
          .array(z.string().min(1).max(CONFIG_LIMITS.probeTextCharactersMax))
          .max(CONFIG_LIMITS.probeAnswersMax),
        server: z.string().nullable(),
        ...pace,
      })
      .refine(({ name, server }) => isDnsTarget(name, server), {
        path: ['name'],
        error: 'a DNS name and, as server, an address with or without a port',
      }),
  ])
  .superRefine((probe, context) => {
    for (const { policyKey, message } of checkProbe(probe)) {
      context.addIssue({ code: 'custom', path: [policyKey], message });
    }
  });
