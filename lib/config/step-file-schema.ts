/**
 * The schema of a plan as people write it: `steps`, each with `do: <kind>` and the few keys that
 * this kind has a use for; `parallel:` groups steps that are worked on together.
 *
 * One flat map for every kind, as for probes: the tables of the documentation, the completion of
 * editors and the fixes of problems come from it. Which keys belong to which kind says `step-file.ts`.
 */
import { z } from 'zod';
import { described, durationField, numberField } from './file-fields.ts';
import { CONFIG_LIMITS } from './limits.ts';
import { isHttpUrl, SECRET_NAME_PATTERN, STEP_NAME_PATTERN } from './recovery-schema.ts';
import { NAME_PATTERN } from './schema.ts';
import {
  type EntryKeys,
  keyFindings,
  PRECONDITIONS,
  RUN_MODES,
  STEP_KINDS,
  UNDO_KINDS,
} from './step-file.ts';

const RESOURCE = z.string().min(1).max(CONFIG_LIMITS.resourceCharactersMax);
const SENTENCE = z.string().min(1).max(CONFIG_LIMITS.sentenceCharactersMax);

export function urlField(description: string) {
  return described(z.string().refine(isHttpUrl, 'must be an http or https URL'), {
    description,
    example: 'https://hooks.example.com/tripoint',
    type: 'URL',
    defaultText: 'none',
  });
}

export const secretField = described(
  z.string().regex(SECRET_NAME_PATTERN, 'must be the name of an environment variable').optional(),
  {
    description: 'Environment variable that holds the key which signs the request.',
    example: 'PAGER_SECRET',
    type: 'variable name',
    defaultText: 'unsigned',
  },
);

export const topicField = described(
  z
    .string()
    .regex(/^arn:[\w-]+:sns:/, 'must be the ARN of an SNS topic')
    .max(CONFIG_LIMITS.resourceCharactersMax)
    .optional(),
  {
    description: 'ARN of an SNS topic.',
    example: 'arn:aws:sns:us-west-2:111122223333:pager',
    type: 'ARN',
    defaultText: 'none',
  },
);

function waitField(description: string, defaultText: string) {
  const [min, max] = [0, CONFIG_LIMITS.stepMsMax];
  return durationField({ description, min, max, example: '30s', defaultText }).optional();
}

function nameField(description: string, example: string, defaultText = 'none') {
  const name = z.string().regex(NAME_PATTERN).optional();
  return described(name, { description, example, type: 'name', defaultText });
}

function resourceField(description: string, example: string) {
  return described(RESOURCE.optional(), {
    description,
    example,
    type: 'text',
    defaultText: 'none',
  });
}

/** What a step works on, as far as something that takes a step back has a use for it. */
const UNDO_KEYS = {
  site: nameField(
    'scale, wait-healthy: which site: `target`, `source` or the name of one.',
    'target',
    '`target`',
  ),
  to: described(z.enum(['serving', 'standby']).optional(), {
    description: 'scale: which of the two sizes of its `capacity`.',
    example: 'serving',
    type: 'one of',
    defaultText: '`serving`',
  }),
  percent: numberField(z.int(), {
    description: 'weights: share of the target.',
    min: 0,
    max: 100,
    example: 10,
    defaultText: 'none',
  }).optional(),
  region: nameField('lambda, snapshot, restore: AWS region.', 'us-west-2'),
  function: resourceField('lambda: name of the function.', 'warm-caches'),
  payload: z
    .record(
      z.string().max(CONFIG_LIMITS.payloadKeyCharactersMax),
      described(z.string().max(CONFIG_LIMITS.payloadCharactersMax), {
        description: 'A value.',
        example: 'all',
        type: 'text',
      }),
    )
    .meta({
      description: 'lambda: given to the function beside what it is told of the run.',
      'x-default': 'nothing',
    })
    .optional(),
  url: urlField('webhook, notify: where to POST to.').optional(),
  secret: secretField,
  topic: topicField,
  sentence: described(SENTENCE.optional(), {
    description: 'approve, notify: what the person reads.',
    example: 'Is the standby warm?',
    type: 'text',
    defaultText: 'none',
  }),
};

const ACTION_KEYS = {
  ...UNDO_KEYS,
  for: waitField('wait-healthy: how long without a break. hold: how long.', '`0s`'),
  maxLag: waitField('wait-replication: what the target may still lack.', '`0s`'),
  table: resourceField('snapshot, restore: DynamoDB table.', 'orders'),
  into: resourceField('restore: the new table; never one that exists.', 'orders-restored'),
  intoRegion: nameField('restore: region of the new table.', 'us-west-2', 'that of `region`'),
  service: nameField('child-plan: the service that fails over too.', 'payments'),
};

function checkKeys(entry: EntryKeys, context: z.core.$RefinementCtx): void {
  for (const { key, message } of keyFindings(entry)) {
    context.addIssue({ code: 'custom', path: key === '' ? [] : [key], message });
  }
}

const undoSchema = z
  .strictObject({
    do: described(z.enum(UNDO_KINDS), {
      description: 'What takes the step back.',
      example: 'scale',
      type: 'one of',
    }),
    ...UNDO_KEYS,
  })
  .superRefine(checkKeys);

const STEP_KEYS = {
  ...ACTION_KEYS,
  name: described(
    z.string().regex(STEP_NAME_PATTERN, 'must be lower-case letters, digits and dashes').optional(),
    {
      description: 'Unique within the plan; what `tripoint approve` and reports call the step.',
      example: 'warm-up',
      type: 'name',
      defaultText: 'its kind; `scale-2` for the second',
    },
  ),
  essential: described(z.boolean().optional(), {
    description: 'Whether the run fails with it; else it leaves an exception.',
    example: false,
    type: 'boolean',
    defaultText: 'by kind, see below',
  }),
  timeout: durationField({
    description: 'Longest time from when the step is opened to its end.',
    min: CONFIG_LIMITS.stepTimeoutMsMin,
    max: CONFIG_LIMITS.stepMsMax,
    example: '5m',
    defaultText: 'by kind, see below',
  }).optional(),
  attempts: numberField(z.int(), {
    description: 'Tries until it counts as failed.',
    min: 1,
    max: CONFIG_LIMITS.stepAttemptsMax,
    example: 3,
    defaultText: 'by kind, see below',
  }).optional(),
  mode: described(z.enum(RUN_MODES), {
    description: 'In which runs it is done: planned ones (`graceful`), `emergency`, or both.',
    example: 'graceful',
    type: 'one of',
  }).prefault('both'),
  when: described(z.enum(PRECONDITIONS).optional(), {
    description: 'Skips the step where this does not hold when it is opened.',
    example: 'source-alive',
    type: 'one of',
    defaultText: 'always',
  }),
  undo: undoSchema.optional().meta({
    description: 'What takes it back when a later step fails, or when a drill ends.',
    'x-default': 'nothing',
  }),
};

const kindField = described(z.enum(STEP_KINDS), {
  description: 'Kind of the step, see below.',
  example: 'switch',
  type: 'one of',
});

const singleSchema = z.strictObject({ do: kindField, ...STEP_KEYS }).superRefine(checkKeys);

/** `do` is optional, so that an entry may be a group; `keyFindings` asks for one of the two. */
const entrySchema = z
  .strictObject({
    do: kindField.optional().meta({ 'x-default': 'none, with `parallel`' }),
    parallel: z
      .array(singleSchema)
      .min(1)
      .max(CONFIG_LIMITS.stepsPerStageMax)
      .meta({
        description: `In place of \`do\`: steps that are worked on together, at most ${CONFIG_LIMITS.stepsPerStageMax}.`,
        'x-type': 'list of steps',
        'x-like': 'steps',
        'x-default': 'none',
      })
      .optional(),
    ...STEP_KEYS,
  })
  .superRefine(checkKeys);

export const planFileSchema = z.strictObject({
  steps: z
    .array(entrySchema)
    .min(1)
    .max(CONFIG_LIMITS.stagesMax)
    .meta({
      description: `One after the other; at most ${CONFIG_LIMITS.stagesMax}, and ${CONFIG_LIMITS.planStepsMax} with those of groups.`,
      'x-type': 'list',
    }),
  onFailure: described(z.enum(['stop', 'undo']), {
    description: 'Whether a run that fails takes back what it did, newest first.',
    example: 'undo',
    type: 'one of',
  }).prefault('stop'),
});
