/**
 * The part of a service in the configuration file that says how it recovers: gates, steps back,
 * capacity, database, people to tell, plans and drills. Written next to nothing, all of it is off.
 */
import { z } from 'zod';
import { described, durationField, NAMED, numberField } from './file-fields.ts';
import { CONFIG_LIMITS } from './limits.ts';
import { cronField, timezoneField } from './monitor-file-schema.ts';
import { isDay, isHttpUrl } from './recovery-schema.ts';
import { NAME_PATTERN } from './schema.ts';
import { planFileSchema, secretField, topicField, urlField } from './step-file-schema.ts';

const resource = z.string().min(1).max(CONFIG_LIMITS.resourceCharactersMax);

function resourceField(description: string, example: string) {
  return described(resource.optional(), {
    description,
    example,
    type: 'text',
    defaultText: 'none',
  });
}

const regionOfSite = described(z.string().regex(NAME_PATTERN).optional(), {
  description: 'AWS region where it stands.',
  example: 'us-west-2',
  type: 'name',
  defaultText: 'that of the site',
});

export const strategyField = described(
  z.enum(['failover', 'warm-standby', 'pilot-light', 'active-active']),
  {
    description:
      'How traffic moves when a site fails. `failover`: all of it to one other site that is ready; `warm-standby`: the same, after that site has grown; `pilot-light`: after it was started from nothing; `active-active`: every site serves its share, and one that fails gets none.',
    example: 'failover',
    type: 'one of',
  },
).prefault('failover');

export const fencingField = described(z.enum(['none', 'lease']), {
  description:
    'Whether a site is given the traffic only when the one before must have given up its role. `lease` costs up to a lease of RTO where that one does not answer.',
  example: 'lease',
  type: 'one of',
}).prefault('none');

/** Beside `holdDown` and `automaticRunsPerDay`. */
export const PEOPLE_FIELDS = {
  acknowledgement: described(z.boolean(), {
    description:
      'Whether, after an automatic run, none follows until `tripoint acknowledge` was called.',
    example: true,
    type: 'boolean',
  }).prefault(false),
  approval: described(z.enum(['none', 'manual', 'all']), {
    description:
      'Which runs wait for `tripoint approve` by a second person: none, those that a person asked for, or all.',
    example: 'manual',
    type: 'one of',
  }).prefault('none'),
};

const metricSchema = z.strictObject({
  region: described(z.string().regex(NAME_PATTERN), {
    description: 'AWS region that has the metric.',
    example: 'us-west-2',
    type: 'name',
  }),
  namespace: described(resource, {
    description: 'Namespace of the metric.',
    example: 'AWS/RDS',
    type: 'text',
  }),
  name: described(resource, {
    description: 'Name of the metric.',
    example: 'AuroraGlobalDBReplicationLag',
    type: 'text',
  }),
  dimensions: z
    .record(
      resource,
      described(resource, { description: 'A value.', example: 'checkout-west', type: 'text' }),
    )
    .meta({ description: 'Dimensions of the metric, by name.', 'x-default': 'none' })
    .prefault({}),
  unit: described(z.enum(['milliseconds', 'seconds']), {
    description: 'What its values are.',
    example: 'milliseconds',
    type: 'one of',
  }),
});

export const replicationFileSchema = z
  .strictObject({
    maxLag: durationField({
      description: 'Data that a run may lose: with more lag than that the gate is closed.',
      min: 0,
      max: CONFIG_LIMITS.lagMsMax,
      example: '5s',
      defaultText: 'no gate',
    }).optional(),
    overLimit: described(z.enum(['block', 'wait', 'accept']).optional(), {
      description:
        'What a closed gate does: refuses the run, waits for the lag to fall, or goes on and says what was lost.',
      example: 'block',
      type: 'one of',
      defaultText: '`block`',
    }),
    unknownLag: described(z.enum(['block', 'accept']).optional(), {
      description: 'Whether a site that reports no lag, or none lately, passes the gate.',
      example: 'block',
      type: 'one of',
      defaultText: '`accept`',
    }),
    metric: metricSchema.optional().meta({
      description: 'A CloudWatch metric of the lag, beside what heartbeats report.',
      'x-default': 'none',
    }),
  })
  .superRefine(({ maxLag, overLimit, unknownLag }, context) => {
    const idle = Object.entries({ overLimit, unknownLag }).filter(
      ([, value]) => value !== undefined,
    );
    for (const [key] of maxLag === undefined ? idle : []) {
      context.addIssue({ code: 'custom', path: [key], message: 'needs maxLag: there is no gate' });
    }
  });

const alarmNames = z
  .array(
    described(z.string().min(1).max(CONFIG_LIMITS.alarmNameCharactersMax), {
      description: 'Name of an alarm; `*` = all.',
      example: 'checkout-errors',
      type: 'text',
    }),
  )
  .max(CONFIG_LIMITS.alarmNamesMax);

export const alarmsFileSchema = z.strictObject({
  missingData: described(z.enum(['ignore', 'last-known', 'alarm']), {
    description: 'What an alarm without data counts as: nothing, what it was before, or an alarm.',
    example: 'last-known',
    type: 'one of',
  }).prefault('last-known'),
  triggering: alarmNames
    .meta({
      description: 'Alarms of the active site that may start a run; the others are only told.',
      examples: ['[checkout-errors]'],
      'x-type': 'list',
      'x-default': '`[*]`, all',
    })
    .optional(),
});

export const returningFileSchema = z.strictObject({
  percents: z
    .array(
      described(z.int().min(1).max(100), {
        description: 'A share of the target.',
        example: 10,
        type: 'number',
      }),
    )
    .min(1)
    .max(CONFIG_LIMITS.returnPercentsMax)
    .meta({
      description: 'Shares of the site that comes back, rising to 100.',
      examples: ['[1, 10, 50, 100]'],
      'x-type': 'list',
      'x-default': '`[100]`; active-active: `[10, 50, 100]`',
    })
    .optional(),
  hold: durationField({
    description: 'How long each share but the last is watched; an alarm takes it back.',
    min: 0,
    max: CONFIG_LIMITS.returnHoldMsMax,
    example: '10m',
    defaultText: '`5m`',
  }).optional(),
});

const memberSchema = z.strictObject({
  region: regionOfSite,
  cluster: resourceField(
    'aurora-global: ARN of the cluster there.',
    'arn:aws:rds:us-west-2:111122223333:cluster:checkout-west',
  ),
  instance: resourceField('rds-replica: identifier of the instance there.', 'checkout-west'),
});

export const databaseFileSchema = z
  .strictObject({
    kind: described(z.enum(['aurora-global', 'rds-replica']), {
      description: 'What it is: an Aurora global database, or an RDS instance with replicas.',
      example: 'aurora-global',
      type: 'one of',
    }),
    globalCluster: resourceField('aurora-global: identifier of the whole.', 'checkout'),
    members: z
      .record(z.string(), memberSchema)
      .meta({ description: 'What each site has of it, by name of the site.', ...NAMED }),
  })
  .superRefine(({ kind, globalCluster, members }, context) => {
    const isGlobal = kind === 'aurora-global';
    if (isGlobal !== (globalCluster !== undefined)) {
      const message = isGlobal ? 'aurora-global needs globalCluster' : 'belongs to aurora-global';
      context.addIssue({ code: 'custom', path: isGlobal ? [] : ['globalCluster'], message });
    }
    const [own, other] = isGlobal
      ? (['cluster', 'instance'] as const)
      : (['instance', 'cluster'] as const);
    for (const [site, member] of Object.entries(members)) {
      if (member[own] === undefined) {
        context.addIssue({ code: 'custom', path: ['members', site], message: `needs ${own}` });
      }
      if (member[other] !== undefined) {
        const message = `means nothing for ${kind}; remove it`;
        context.addIssue({ code: 'custom', path: ['members', site, other], message });
      }
    }
  });

const notificationSchema = z
  .strictObject({
    topic: topicField,
    url: urlField('Where to POST a JSON body to: chat systems, pagers.').optional(),
    secret: secretField,
  })
  .superRefine(({ topic, url, secret }, context) => {
    if ((topic === undefined) === (url === undefined)) {
      context.addIssue({ code: 'custom', message: 'has either topic or url' });
    }
    if (secret !== undefined && url === undefined) {
      context.addIssue({ code: 'custom', path: ['secret'], message: 'belongs to url' });
    }
  });

export const notifyField = z
  .array(notificationSchema)
  .max(CONFIG_LIMITS.notificationTargetsMax)
  .meta({
    description: `Who is told of runs, of sites that failed and stand unrecovered, and of overrides that end; at most ${CONFIG_LIMITS.notificationTargetsMax}.`,
    examples: ['[{ url: https://hooks.example.com/tripoint }]'],
    'x-type': 'list',
    'x-default': 'nobody',
  })
  .prefault([]);

export const plansFileSchema = z.strictObject({
  failover: planFileSchema.optional().meta({
    description: 'What a failover does, in place of the plan of the strategy.',
    'x-default': 'that of the strategy',
  }),
  failback: planFileSchema.optional().meta({
    description: 'The same for the way back. Keys as of `failover`.',
    'x-default': 'that of the strategy',
    'x-like': 'failover',
  }),
});

export const drillFileSchema = z
  .strictObject({
    to: described(z.string().regex(NAME_PATTERN), {
      description: 'Which site takes the traffic.',
      example: 'us-west-2',
      type: 'name',
    }),
    duration: durationField({
      description: 'How long the traffic stays there before it goes back by itself.',
      min: CONFIG_LIMITS.drillMsMin,
      max: CONFIG_LIMITS.drillMsMax,
      example: '30m',
    }).prefault('30m'),
    cron: cronField.optional().meta({
      description: 'When one begins by itself: five fields of cron, or `@weekly` and the like.',
      'x-default': 'only when asked for',
    }),
    timezone: timezoneField,
    grace: durationField({
      description: 'How late one may begin, if it was held up; after that it is left out.',
      min: CONFIG_LIMITS.graceMsMin,
      max: CONFIG_LIMITS.graceMsMax,
      example: '1h',
    }).prefault('1h'),
    blockingAlarms: alarmNames
      .meta({
        description: 'Alarms of any site that keep a drill from starting, and end one that runs.',
        examples: ['[checkout-errors]'],
        'x-type': 'list',
        'x-default': '`[*]`, all',
      })
      .optional(),
    blockedDates: z
      .array(
        described(z.string().refine(isDay, 'must be a day such as 2026-12-24'), {
          description: 'A day, UTC.',
          example: '2026-12-24',
          type: 'day',
        }),
      )
      .max(CONFIG_LIMITS.blockedDatesMax)
      .meta({
        description: 'Days without drills, UTC.',
        examples: ['[2026-12-24]'],
        'x-type': 'list',
        'x-default': 'none',
      })
      .prefault([]),
  })
  .superRefine(({ cron, timezone }, context) => {
    if (timezone !== undefined && cron === undefined) {
      const message = 'belongs to cron, which is not there';
      context.addIssue({ code: 'custom', path: ['timezone'], message });
    }
  });

/** Names what it is by its own key, so that no second key can contradict it. */
const RESOURCE_KEYS = ['autoScalingGroup', 'ecsService', 'lambda', 'hook'] as const;

export const capacityFileSchema = z
  .strictObject({
    autoScalingGroup: resourceField('An EC2 Auto Scaling group.', 'checkout-west'),
    ecsService: described(
      z
        .string()
        .regex(/^[^/]{1,255}\/[^/]{1,255}$/, 'must be CLUSTER/SERVICE')
        .optional(),
      {
        description: 'An ECS service, as CLUSTER/SERVICE.',
        example: 'shop/checkout',
        type: 'text',
        defaultText: 'none',
      },
    ),
    lambda: described(
      z
        .string()
        .regex(/^[^:]{1,140}:[^:]{1,128}$/, 'must be FUNCTION:ALIAS')
        .optional(),
      {
        description: 'Provisioned concurrency of a Lambda function, as FUNCTION:ALIAS.',
        example: 'checkout:live',
        type: 'text',
        defaultText: 'none',
      },
    ),
    hook: described(z.string().refine(isHttpUrl, 'must be an http or https URL').optional(), {
      description:
        'Anything else: a URL that answers GET with `{"desired": 2, "ready": 2}` and takes PUT `{"desired": 6}`.',
      example: 'https://scale.example.com/checkout',
      type: 'URL',
      defaultText: 'none',
    }),
    region: regionOfSite,
    serving: numberField(z.int(), {
      description: 'How much of it runs while the site serves.',
      min: 1,
      max: CONFIG_LIMITS.capacityMax,
      example: 6,
    }),
    standby: numberField(z.int(), {
      description: 'How much of it runs while the site stands by; 0 = a pilot light.',
      min: 0,
      max: CONFIG_LIMITS.capacityMax,
      example: 2,
    }),
  })
  .superRefine((capacity, context) => {
    const named = RESOURCE_KEYS.filter((key) => capacity[key] !== undefined);
    if (named.length !== 1) {
      const message = `has one of ${RESOURCE_KEYS.join(', ')}`;
      context.addIssue({ code: 'custom', message });
    }
  });

export const weightField = numberField(z.int(), {
  description: 'active-active: share of the traffic while all is well, in per cent.',
  min: 0,
  max: 100,
  example: 50,
  defaultText: 'equal shares',
}).optional();
