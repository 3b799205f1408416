/**
 * The JSON that leaves the API: one schema for each answer, shared by the routes, the OpenAPI
 * document and the typed client.
 *
 * Field names are stable. Units stand at the end of a name (`…Ms`, `…Seconds`); instants end in
 * `…At` and are RFC 3339 in UTC. `null` means "there is none", never "not asked". Clients must
 * ignore members they do not know, because answers may grow.
 */
import { z } from '@hono/zod-openapi';
import { ANALYSIS_CODES } from '../recovery/analysis.ts';
import { DECISION_CODES } from '../recovery/decision.ts';
import { monitorSchema } from './monitor-schemas.ts';
import { freezeSchema, RECOVERY_MEMBERS, RUN_MEMBERS, STEP_MEMBERS } from './recovery-schemas.ts';
import {
  counter,
  detectionSchema,
  durationMs,
  epochSchema,
  instant,
  observationSchema,
  opinionSchema,
  verdictSchema,
  warningSchema,
} from './schema-parts.ts';

const alarmState = z.enum(['alarm', 'ok', 'insufficient-data']);

export const problemSchema = z
  .object({
    type: z.string().openapi({ example: 'urn:tripoint:problem:unknown-service' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().openapi({ description: 'Path of the request.' }),
    code: z.string().openapi({ description: 'Stable; programs match this.' }),
    hint: z.string().openapi({ description: 'What to do next.' }),
    retryable: z
      .boolean()
      .openapi({ description: 'Whether the same request may succeed later without a change.' }),
    requestId: z.string(),
    command: z.string().optional().openapi({ description: 'Id to ask about.' }),
    index: counter.optional(),
    term: counter.optional(),
    firstAvailable: counter.optional(),
    errors: z
      .array(z.object({ path: z.string(), message: z.string(), fix: z.string() }))
      .optional()
      .openapi({ description: 'Every part of the request that is not valid.' }),
  })
  .openapi('Problem');
export type ProblemJson = z.infer<typeof problemSchema>;

const probeSchema = z
  .object({
    target: z.string().openapi({ example: 'GET https://192.0.2.10/healthz' }),
    expectation: z.string().openapi({ example: 'status 200 to 299' }),
    intervalMs: durationMs,
    timeoutMs: durationMs,
    rise: counter,
    fall: counter,
  })
  .openapi('Probe', { description: 'What every region asks the site, beside its heartbeats.' });
export type ProbeJson = z.infer<typeof probeSchema>;

const siteSchema = z
  .object({
    site: z.string(),
    region: z.string(),
    address: z.string(),
    probeUrl: z.string().nullable(),
    probes: z.array(probeSchema),
    role: z.enum(['active', 'standby']),
    opinion: opinionSchema,
    verdicts: z.array(verdictSchema),
    observation: observationSchema.nullable(),
    alarms: z.array(
      z.object({
        name: z.string(),
        state: alarmState,
        at: instant,
        counts: z.boolean().default(false).openapi({
          description: 'Whether it stands against the site, by the policy of its alarms.',
        }),
      }),
    ),
    warnings: z.array(warningSchema),
  })
  .openapi('Site');
export type SiteJson = z.infer<typeof siteSchema>;

export const phaseSchema = z
  .object({
    kind: z.enum([
      'steady',
      'impaired',
      'setting-up',
      'recovering',
      'returning',
      'rebalancing',
      'drilling',
      'practising',
      'drill-returning',
    ]),
    cause: z.enum(['site-failed', 'run-failed']).optional(),
    run: z.string().optional(),
  })
  .openapi('Phase');
export type PhaseJson = z.infer<typeof phaseSchema>;

const maintenanceSchema = z
  .object({
    site: z.string().nullable().openapi({ description: 'null = the whole service.' }),
    sinceAt: instant,
    untilAt: instant,
    by: z.string(),
    reason: z.string(),
  })
  .openapi('MaintenanceWindow', { description: 'Meanwhile no run starts by itself.' });
export type MaintenanceJson = z.infer<typeof maintenanceSchema>;

export const serviceSchema = z
  .object({
    service: z.string(),
    dnsName: z.string(),
    recordType: z.enum(['A', 'AAAA', 'CNAME']),
    ttlSeconds: z.int(),
    /** Steered by health checks alone (path A). */
    dataPlaneName: z.string().optional(),
    strategy: z.string(),
    automatic: z.boolean(),
    primary: z.string(),
    objectives: z.object({ rtoMs: durationMs, rpoMs: durationMs }),
    detection: detectionSchema,
    activeSite: z.string(),
    epoch: epochSchema,
    phase: phaseSchema,
    analysis: z.object({ code: z.enum(ANALYSIS_CODES), sentence: z.string() }),
    decision: z
      .object({
        kind: z.enum(['act', 'refuse']),
        code: z.enum(DECISION_CODES),
        sentence: z.string(),
        at: instant,
        index: counter,
      })
      .nullable(),
    lastRunEndedAt: instant.nullable(),
    reviewAt: instant.nullable(),
    maintenance: z.array(maintenanceSchema).default([]),
    ...RECOVERY_MEMBERS,
    sites: z.array(siteSchema),
  })
  .openapi('Service');
export type ServiceJson = z.infer<typeof serviceSchema>;

const stepSchema = z
  .object({
    name: z.string(),
    essential: z.boolean(),
    attempt: counter,
    attemptsMax: counter,
    state: z.enum(['waiting', 'claimed', 'done', 'failed', 'skipped']),
    worker: z.string().nullable(),
    at: instant.nullable(),
    code: z.string().nullable(),
    ...STEP_MEMBERS,
  })
  .openapi('Step');
export type StepJson = z.infer<typeof stepSchema>;

/** The actual RTO, split. `null` = the run has not come that far. */
export const stagesSchema = z
  .object({
    detectMs: durationMs.nullable(),
    decideMs: durationMs.nullable(),
    actMs: durationMs.nullable(),
    propagateMs: durationMs.nullable(),
    verifyMs: durationMs.nullable(),
    totalMs: durationMs.nullable(),
  })
  .openapi('Stages');
export type StagesJson = z.infer<typeof stagesSchema>;

export const runSchema = z
  .object({
    run: z.string(),
    service: z.string(),
    kind: z.enum(['setup', 'failover', 'failback', 'rebalance', 'drill', 'drill-return']),
    trigger: z.enum(['automatic', 'manual']),
    from: z.string(),
    to: z.string(),
    epoch: epochSchema,
    requestedBy: z.string(),
    reason: z.string(),
    analysis: z.enum(ANALYSIS_CODES),
    authorisedAt: instant,
    outcome: z.object({
      kind: z.enum(['open', 'done', 'failed']),
      at: instant.nullable(),
      code: z.string().nullable(),
      exceptions: z.array(z.string()),
    }),
    origin: z.object({
      lastBeatAt: instant.nullable(),
      firstFailedVerdictAt: instant.nullable(),
    }),
    ...RUN_MEMBERS,
    stages: stagesSchema,
    steps: z.array(stepSchema),
  })
  .openapi('Run');
export type RunJson = z.infer<typeof runSchema>;

const timelineEventSchema = z
  .object({
    index: counter,
    at: instant,
    service: z.string(),
    kind: z.string(),
    sentence: z.string(),
  })
  .openapi('TimelineEvent');

export const consensusSchema = z
  .object({
    leader: z.string().nullable(),
    term: counter,
    appliedIndex: counter,
    appliedTerm: counter,
    chain: z.string().openapi({ description: 'SHA-256 chain over all applied entries.' }),
    quorum: z.boolean(),
    members: z.array(z.object({ region: z.string(), reachable: z.boolean() })),
  })
  .openapi('Consensus');
export type ConsensusJson = z.infer<typeof consensusSchema>;

export const statusSchema = z
  .object({
    region: z.string(),
    mode: z.enum(['local', 'aws']),
    version: z.string(),
    at: instant,
    configHash: z.string().nullable(),
    consensus: consensusSchema,
    freeze: freezeSchema
      .nullable()
      .default(null)
      .openapi({ description: 'Of all services; null = none stands.' }),
    services: z.array(serviceSchema),
    monitors: z.array(monitorSchema),
    runs: z.array(runSchema).openapi({ description: 'Newest first.' }),
    timeline: z.array(timelineEventSchema).openapi({ description: 'Newest first.' }),
  })
  .openapi('Status');
export type StatusJson = z.infer<typeof statusSchema>;

export const servicesSchema = z
  .object({ at: instant, services: z.array(serviceSchema), monitors: z.array(monitorSchema) })
  .openapi('Services');
export type ServicesJson = z.infer<typeof servicesSchema>;

export const runsSchema = z.object({ at: instant, runs: z.array(runSchema) }).openapi('Runs');
export type RunsJson = z.infer<typeof runsSchema>;

const configurationSchema = z
  .object({
    voters: z.array(z.string()),
    outgoing: z
      .array(z.string())
      .nullable()
      .openapi({ description: 'While they are being left, a majority of these must agree too.' }),
    learners: z.array(z.string()),
  })
  .openapi('Configuration', { description: 'Who votes from this entry on.' });

export const logSchema = z
  .object({
    appliedIndex: counter,
    nextAfter: counter.openapi({ description: 'Pass as `after` to read on.' }),
    entries: z.array(
      z.object({
        index: counter,
        term: counter,
        command: z.string().nullable(),
        basis: counter
          .nullable()
          .openapi({ description: 'Highest index its sender knew when it was first sent.' }),
        body: z.unknown().openapi({
          description: 'null = the no-op of a new leader, or a change of who votes.',
        }),
        answer: z
          .object({ kind: z.enum(['accepted', 'refused']), code: z.string() })
          .optional()
          .openapi({ description: 'What came of it. Absent for entries of long ago.' }),
        configuration: configurationSchema.optional(),
        chain: z.string(),
      }),
    ),
  })
  .openapi('Log');
export type LogJson = z.infer<typeof logSchema>;

const resultSchema = z.object({
  kind: z.enum(['accepted', 'refused']),
  code: z.string(),
  sentence: z.string(),
  run: z.string().optional(),
});

export const commandLookupSchema = z
  .object({ command: z.string(), index: counter, result: resultSchema })
  .openapi('CommandLookup');
export type CommandLookupJson = z.infer<typeof commandLookupSchema>;

export const acceptedSchema = z
  .object({
    dryRun: z.literal(false),
    command: z.string(),
    index: counter,
    term: counter,
    code: z.string(),
    sentence: z.string(),
    run: z.string().optional(),
  })
  .openapi('Accepted');
export type AcceptedJson = z.infer<typeof acceptedSchema>;

export const dryRunSchema = z
  .object({
    dryRun: z.literal(true),
    wouldBe: z.enum(['accepted', 'refused']),
    code: z.string(),
    sentence: z.string(),
    run: z.string().optional(),
    plan: runSchema
      .nullable()
      .default(null)
      .openapi({ description: 'The run that would begin, as it would be at first.' }),
  })
  .openapi('DryRun', { description: 'Decided on the last applied state. Nothing was changed.' });
export type DryRunJson = z.infer<typeof dryRunSchema>;

export const commandAnswerSchema = z.discriminatedUnion('dryRun', [acceptedSchema, dryRunSchema]);
export type CommandAnswerJson = z.infer<typeof commandAnswerSchema>;

export const routingSchema = z
  .object({ service: z.string(), site: z.string(), role: z.literal('active') })
  .openapi('Routing');

export const livenessSchema = z.object({ status: z.literal('pass') }).openapi('Liveness');

/** draft-inadarei-api-health-check-06. */
export const healthSchema = z
  .object({
    status: z.enum(['pass', 'warn', 'fail']),
    version: z.string(),
    serviceId: z.string(),
    description: z.string(),
    output: z.string().optional(),
    checks: z.record(
      z.string(),
      z.array(
        z.object({
          componentId: z.string(),
          componentType: z.string(),
          status: z.enum(['pass', 'warn', 'fail']),
          observedValue: z.union([z.string(), z.number()]),
          observedUnit: z.string().optional(),
          time: instant,
        }),
      ),
    ),
  })
  .openapi('Health');
export type HealthJson = z.infer<typeof healthSchema>;

/** The report is written by `lib/recovery`; its own members are described there. */
export const reportSchema = z.looseObject({}).openapi('Report');
