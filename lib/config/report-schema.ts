/**
 * The strict schema of a run's report, for whoever reads one from a file that anybody may have
 * changed: unknown members and wrong types are found before anything is believed.
 */
import { z } from 'zod';
import type { JsonValue } from '../base/json.ts';
import { REPORT_FORMAT, type ReportDocument } from '../recovery/report-document.ts';

const COUNT = z.int().min(0);
const LINK = z.string().regex(/^[0-9a-f]{64}$/);
const NAME = z.string().min(1).max(300);
const INSTANT = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
const epoch = z.strictObject({ term: COUNT, index: COUNT });
const shares = z.record(NAME, z.int().min(0).max(100));
const json = z.json() as unknown as z.ZodType<JsonValue>;

const times = z.strictObject({
  detectMs: COUNT.nullable(),
  decideMs: COUNT.nullable(),
  actMs: COUNT,
  propagateMs: COUNT,
  verifyMs: COUNT,
  totalMs: COUNT,
});

const step = z.strictObject({
  name: NAME,
  kind: NAME,
  stage: COUNT,
  essential: z.boolean(),
  isUndo: z.boolean(),
  attempts: COUNT,
  waits: COUNT,
  worker: NAME.nullable(),
  openedAt: INSTANT.nullable(),
  epoch: epoch.nullable(),
  state: z.enum(['waiting', 'claimed', 'done', 'failed', 'skipped']),
  at: INSTANT.nullable(),
  detail: json,
});

const entry = z.strictObject({
  index: z.int().min(1),
  term: COUNT,
  id: NAME.nullable(),
  basis: COUNT.nullable(),
  body: json,
  configuration: json.optional(),
  chain: LINK,
});

const drill = z.strictObject({
  away: NAME,
  back: NAME.nullable(),
  site: NAME,
  home: shares,
  durationMs: COUNT,
  revertAt: INSTANT.nullable(),
  endedBy: z.string().nullable(),
  awayMs: COUNT.nullable(),
  backMs: COUNT.nullable(),
  passed: z.boolean(),
});

const log = z.strictObject({
  index: z.int().min(1),
  chain: LINK,
  founders: z.array(NAME),
  complete: z.boolean(),
  spans: z.array(z.strictObject({ after: LINK, entries: z.array(entry).min(1) })),
});

const loss = z.strictObject({
  lagMs: z.number().min(0).nullable(),
  writes: z.number().min(0).nullable(),
  measuredAt: INSTANT.nullable(),
  acceptedBy: z.string().nullable(),
});

const approval = z.strictObject({
  step: NAME,
  by: z.string(),
  verdict: z.enum(['approve', 'reject']),
  reason: z.string(),
  at: INSTANT,
});

const head = {
  format: z.literal(REPORT_FORMAT),
  run: NAME,
  service: NAME,
  kind: NAME,
  mode: NAME,
  trigger: NAME,
  from: NAME,
  to: NAME,
  requestedBy: z.string(),
  reason: z.string(),
  analysis: NAME,
  epoch,
  lastBeatAt: INSTANT.nullable(),
  firstFailedVerdictAt: INSTANT.nullable(),
  authorisedAt: INSTANT,
};

/** Members in any order here; `report-check.ts` compares the bytes. */
export const reportDocumentSchema: z.ZodType<ReportDocument> = z.strictObject({
  ...head,
  outcome: z.strictObject({
    state: z.enum(['done', 'failed']),
    code: z.string().nullable(),
    exceptions: z.array(z.string()),
    at: INSTANT.nullable(),
  }),
  rto: z.strictObject({
    objectiveMs: COUNT,
    actual: times.nullable(),
    met: z.boolean().nullable(),
    dataPlane: times.optional(),
  }),
  rpo: z.strictObject({
    objectiveMs: COUNT,
    actualMs: z.number().min(0).nullable(),
    met: z.boolean().nullable(),
  }),
  traffic: z.strictObject({
    before: shares,
    wanted: shares,
    moves: z.array(
      z.strictObject({
        step: NAME,
        shares,
        authorisedAt: INSTANT.nullable(),
        doneAt: INSTANT.nullable(),
      }),
    ),
  }),
  loss: loss.nullable(),
  approvals: z.array(approval),
  undo: z.strictObject({ code: z.string(), at: INSTANT, steps: z.array(NAME) }).nullable(),
  parent: NAME.nullable(),
  children: z.array(NAME),
  drill: drill.nullable(),
  steps: z.array(step),
  log,
  generatedAt: INSTANT,
  generatedBy: NAME,
  digest: z.strictObject({ method: z.literal('sha256-canonical-json'), value: LINK }),
});
