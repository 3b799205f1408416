/**
 * The kinds of values that services and monitors share in the configuration file, each with the
 * words that describe it to the reader.
 */
import { z } from 'zod';
import { DURATION_PATTERN, formatDuration, parseDuration } from './duration.ts';
import { CONFIG_LIMITS } from './limits.ts';
import { NAME_PATTERN } from './schema.ts';

/** `sha256:` and the hash of a heartbeat token, as `tripoint token new` prints it. */
export const TOKEN_PATTERN: RegExp = /^sha256:([0-9a-f]{64})$/;

/** For editors only: the parser checks names itself, so that a bad name hides nothing below it. */
export const NAMED = { propertyNames: { pattern: NAME_PATTERN.source } };

interface FieldText {
  readonly description: string;
  readonly example: string | number | boolean;
  /** The kind of value in the reader's words, e.g. `duration`. */
  readonly type: string;
  /** Shown as the default where it is computed and the schema cannot hold it. */
  readonly defaultText?: string;
}

export function described<Schema extends z.ZodType>(schema: Schema, text: FieldText): Schema {
  return schema.meta({
    description: text.description,
    examples: [text.example],
    'x-type': text.type,
    ...(text.defaultText === undefined ? {} : { 'x-default': text.defaultText }),
  });
}

interface DurationText {
  readonly min: number;
  readonly max: number;
  readonly example: string;
  readonly description: string;
  readonly defaultText?: string;
}

/** A duration text that parses to whole milliseconds within [min, max]. */
export function durationField({ min, max, description, ...text }: DurationText) {
  const range = `${formatDuration(min)} to ${formatDuration(max)}`;
  return described(
    z
      .string()
      .regex(DURATION_PATTERN)
      .superRefine((value, context) => {
        const durationMs = parseDuration(value);
        if (durationMs !== null && (durationMs < min || durationMs > max)) {
          context.addIssue({ code: 'custom', message: `must be ${range}` });
        }
      }),
    { ...text, description: `${description} ${range}.`, type: 'duration' },
  ).transform((value) => parseDuration(value) ?? 0);
}

export function numberField(
  schema: z.ZodNumber,
  text: Omit<FieldText, 'type'> & { min: number; max: number },
) {
  const { min, max, description, ...rest } = text;
  return described(schema.min(min).max(max), {
    ...rest,
    description: `${description} ${min} to ${max}.`,
    type: 'number',
  });
}

const phi = { min: CONFIG_LIMITS.phiMin, max: CONFIG_LIMITS.phiMax };

export const detectionSchema = z.strictObject({
  interval: durationField({
    description: 'Nominal time between two heartbeats of a site.',
    min: CONFIG_LIMITS.intervalMsMin,
    max: CONFIG_LIMITS.intervalMsMax,
    example: '1s',
  }).prefault('1s'),
  suspectPhi: numberField(z.number(), {
    ...phi,
    description: 'φ at which a site is suspect.',
    example: 8,
  }).prefault(8),
  failPhi: numberField(z.number(), {
    ...phi,
    description: 'φ at which a site is failed.',
    example: 16,
  }).prefault(16),
  maxSilence: durationField({
    description: 'A site this long silent is failed, whatever φ says.',
    min: CONFIG_LIMITS.silenceMsMin,
    max: CONFIG_LIMITS.silenceMsMax,
    example: '12s',
    defaultText: `${CONFIG_LIMITS.silenceIntervalsDefault} × interval, at most ${formatDuration(CONFIG_LIMITS.silenceMsMax)}`,
  }).optional(),
});

export const tokensField = described(
  z
    .array(
      described(z.string().regex(TOKEN_PATTERN), {
        description: `Hash of a heartbeat token, or \`\${VARIABLE}\` that holds the hash or the token itself.`,
        example: 'sha256:<64 hex digits>',
        type: 'token hash',
      }),
    )
    .min(CONFIG_LIMITS.tokensMin)
    .max(CONFIG_LIMITS.tokensMax),
  {
    description: `Heartbeat tokens that the site may use, ${CONFIG_LIMITS.tokensMin} to ${CONFIG_LIMITS.tokensMax}; \`tripoint token new\` makes one.`,
    example: '[sha256:<64 hex digits>]',
    type: 'list',
  },
);
