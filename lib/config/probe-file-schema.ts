/** The schema of one entry of a site's `probes`, as people write it. */
import { z } from 'zod';
import { formatDuration } from './duration.ts';
import { described, durationField, numberField } from './file-fields.ts';
import { CONFIG_LIMITS } from './limits.ts';
import { misplacedKeys, probePolicyOf, STATUS_PATTERN } from './probe-file.ts';
import { checkProbe } from './probe-rules.ts';
import { parseProbeTarget } from './probe-target.ts';

const text = z.string().min(1).max(CONFIG_LIMITS.probeTextCharactersMax);
const count = { min: 1, max: CONFIG_LIMITS.probeCountMax };

/** A single one is a number to YAML. */
const status = z.union([z.int().min(100).max(599), z.string().regex(STATUS_PATTERN)]);

/** What only some kinds of URL have a use for. */
const answerFields = {
  method: described(z.enum(['GET', 'HEAD']).optional(), {
    description: 'http(s): how to ask.',
    example: 'GET',
    type: 'one of',
    defaultText: '`GET`',
  }),
  status: described(status.optional(), {
    description: 'http(s): the status that passes, or a range. Redirects are not followed.',
    example: '200-299',
    type: 'status or range',
    defaultText: '`200-299`',
  }),
  maxLatency: durationField({
    description: 'http(s): a later answer fails, although it is right.',
    min: 1,
    max: CONFIG_LIMITS.probeTimeoutMsMax,
    example: '800ms',
    defaultText: 'none',
  }).optional(),
  contains: described(text.optional(), {
    description: 'http(s): text that the first 64 kB of the body hold.',
    example: '"status":"ok"',
    type: 'text',
    defaultText: 'none',
  }),
  serverName: described(text.regex(/^[A-Za-z0-9_.-]+$/).optional(), {
    description: 'http(s), tls: host to ask for in place of the one in `url`.',
    example: 'checkout.example.com',
    type: 'host name',
    defaultText: 'the host of `url`',
  }),
  certificateDays: numberField(z.int(), {
    description: 'https, tls: days before its end that a certificate is warned of; 0 = never.',
    min: 0,
    max: CONFIG_LIMITS.certificateDaysMax,
    example: CONFIG_LIMITS.certificateDaysDefault,
    defaultText: `\`${CONFIG_LIMITS.certificateDaysDefault}\``,
  }).optional(),
  expect: z
    .array(described(text, { description: 'A value.', example: '192.0.2.10', type: 'text' }))
    .max(CONFIG_LIMITS.probeAnswersMax)
    .meta({
      description: 'dns: values that must be among the answers.',
      'x-type': 'list',
      'x-default': 'any answer',
    })
    .optional(),
};

const paceFields = {
  interval: durationField({
    description: 'Time between two probes; a quarter of it while in doubt or failing.',
    min: CONFIG_LIMITS.probeIntervalMsMin,
    max: CONFIG_LIMITS.probeIntervalMsMax,
    example: '10s',
  }).prefault(formatDuration(CONFIG_LIMITS.probeIntervalMsDefault)),
  timeout: durationField({
    description: 'Time that one probe may take as a whole.',
    min: CONFIG_LIMITS.probeTimeoutMsMin,
    max: CONFIG_LIMITS.probeTimeoutMsMax,
    example: '2s',
    defaultText: `${formatDuration(CONFIG_LIMITS.probeTimeoutMsDefault)}, at most half the interval`,
  }).optional(),
  rise: numberField(z.int(), {
    ...count,
    description: 'Passes in a row that end a failure.',
    example: CONFIG_LIMITS.probeRiseDefault,
  }).prefault(CONFIG_LIMITS.probeRiseDefault),
  fall: numberField(z.int(), {
    ...count,
    description: 'Failures in a row that begin one.',
    example: CONFIG_LIMITS.probeFallDefault,
  }).prefault(CONFIG_LIMITS.probeFallDefault),
};

const probeEntrySchema = z
  .strictObject({
    url: described(
      z
        .string()
        .refine(
          (value) => parseProbeTarget(value) !== null,
          'must be http(s)://…, tcp://host:port, tls://host:port or dns:name?type=A',
        ),
      {
        description:
          'What to ask: `http://…`, `https://…`, `tcp://host:port`, `tls://host:port`, `dns:name?type=A` or `dns://server/name?type=A`.',
        example: 'https://us-east-1.checkout.example.com/ready',
        type: 'URL',
      },
    ),
    ...answerFields,
    ...paceFields,
  })
  .superRefine((probe, context) => {
    for (const key of misplacedKeys(probe)) {
      const message = 'means nothing for a URL of this scheme; remove it';
      context.addIssue({ code: 'custom', path: [key], message });
    }
    const policy = probePolicyOf(probe);
    for (const { fileKey, message } of policy === null ? [] : checkProbe(policy)) {
      context.addIssue({ code: 'custom', path: [fileKey], message });
    }
  });

export const probesField = z
  .array(probeEntrySchema)
  .max(CONFIG_LIMITS.probesMax)
  .meta({
    description: `What else every region asks the site all the time, at most ${CONFIG_LIMITS.probesMax} probes. A site that beats while one of them fails is degraded.`,
    examples: ['[{ url: tcp://192.0.2.10:5432 }]'],
    'x-type': 'list',
    'x-default': 'none',
  })
  .prefault([]);
