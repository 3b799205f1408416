/**
 * A typed client of the API that does not depend on any one region.
 *
 * Reads go to the endpoints in random order until one has the answer. Commands do too, but under one
 * idempotency key, so that asking a second region after a lost answer is a repeat and not a second
 * command. When no region can tell what became of it, the outcome is `unknown`, with the id to ask
 * about: never a success, never a failure.
 */
import type { z } from '@hono/zod-openapi';
import type { Random } from '../base/clock.ts';
import type { RunMode } from '../recovery/plan.ts';
import type { MonitorPolicy, ServicePolicy } from '../recovery/policy.ts';
import { type BeatHistoryJson, beatHistorySchema } from './beat-history-schemas.ts';
import {
  type ClientFetch,
  type ClientRequest,
  exchange,
  parseJson,
  type Transport,
} from './client-transport.ts';
import { withNewestSights } from './newest-sights.ts';
import {
  type PlanJson,
  planSchema,
  type ReportListJson,
  reportListSchema,
  type TabletopJson,
  tabletopSchema,
} from './preparation-schemas.ts';
import {
  type CommandAnswerJson,
  type CommandLookupJson,
  commandAnswerSchema,
  commandLookupSchema,
  type LogJson,
  logSchema,
  type ProblemJson,
  type RunJson,
  type RunsJson,
  runSchema,
  runsSchema,
  type ServicesJson,
  type StatusJson,
  servicesSchema,
  statusSchema,
} from './schemas.ts';

export interface ApiClientOptions {
  /** Base URLs of the regions without trailing slash, at least one. */
  readonly endpoints: readonly string[];
  /** The operator token; null = only what is open. */
  readonly token: string | null;
  /** Longest wait for one endpoint, with the body. */
  readonly timeoutMs: number;
  readonly random: Random;
  readonly fetch?: ClientFetch;
  /** A new idempotency key: 1 to 120 printable characters, unique for ever. */
  readonly newKey?: () => string;
}

export interface Silence {
  readonly endpoint: string;
  readonly cause: string;
}

export type ReadAnswer<Value> =
  | { readonly kind: 'ok'; readonly value: Value; readonly endpoint: string }
  | { readonly kind: 'problem'; readonly problem: ProblemJson; readonly endpoint: string }
  | { readonly kind: 'unreachable'; readonly silences: readonly Silence[] };

export type CommandAnswer =
  | ReadAnswer<CommandAnswerJson>
  /** It may be committed, now or later: look the command up, or send it again under `key`. */
  | {
      readonly kind: 'unknown';
      readonly command: string;
      readonly key: string;
      readonly silences: readonly Silence[];
    };

interface Ask {
  /** Why, for the record. */
  readonly reason: string;
  /** Who, for the record. */
  readonly by?: string;
  readonly dryRun?: boolean;
}

interface SwitchAsk extends Ask {
  readonly force?: boolean;
  readonly mode?: RunMode;
  readonly acceptLoss?: boolean;
}

export interface FailoverAsk extends SwitchAsk {
  readonly to?: string;
}

export interface FailbackAsk extends SwitchAsk {
  readonly atOnce?: boolean;
}

export interface MaintenanceAsk extends Ask {
  readonly site?: string;
  readonly forMs: number;
}

export interface PlanWords {
  readonly kind: 'failover' | 'failback' | 'drill';
  /** Absent = the one that such a run would have now. */
  readonly mode?: RunMode;
  readonly to?: string;
}

export interface TabletopWords {
  readonly kind: PlanWords['kind'];
  readonly to?: string;
  readonly forMs?: number;
  readonly mode?: RunMode;
  readonly force?: boolean;
  readonly acceptLoss?: boolean;
  readonly atOnce?: boolean;
  readonly by?: string;
}

/** A command that only the routes of `routes/recovery.ts` take; `recovery-client.ts` makes them. */
export interface PlainCommand {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: { readonly dryRun?: boolean };
}

export interface ApiClient {
  readonly status: () => Promise<ReadAnswer<StatusJson>>;
  /** The same, with each site of a monitor as the region that heard it last sees it. */
  readonly statusOfAll: () => Promise<ReadAnswer<StatusJson>>;
  readonly services: () => Promise<ReadAnswer<ServicesJson>>;
  readonly runs: () => Promise<ReadAnswer<RunsJson>>;
  readonly run: (run: string) => Promise<ReadAnswer<RunJson>>;
  /** The report as it was written, byte by byte. */
  readonly report: (run: string, format: 'json' | 'markdown') => Promise<ReadAnswer<string>>;
  readonly reports: (limit: number) => Promise<ReadAnswer<ReportListJson>>;
  /** The plan that a run of this kind would have now. */
  readonly plan: (service: string, ask: PlanWords) => Promise<ReadAnswer<PlanJson>>;
  /** A run played through without touching anything. */
  readonly tabletop: (service: string, ask: TabletopWords) => Promise<ReadAnswer<TabletopJson>>;
  readonly log: (after: number, limit: number) => Promise<ReadAnswer<LogJson>>;
  /** As the region that answers keeps them: with several endpoints, of any one. */
  readonly beats: (service: string, site: string) => Promise<ReadAnswer<BeatHistoryJson>>;
  readonly lookUp: (command: string) => Promise<ReadAnswer<CommandLookupJson>>;
  /** Under `key`, or a new one. The same key again is the same command. */
  readonly failover: (service: string, ask: FailoverAsk, key?: string) => Promise<CommandAnswer>;
  readonly failback: (service: string, ask: FailbackAsk, key?: string) => Promise<CommandAnswer>;
  readonly note: (
    service: string,
    note: { readonly text: string; readonly by?: string },
    key?: string,
  ) => Promise<CommandAnswer>;
  /** Any command by its path; under `key`, or a new one. */
  readonly send: (command: PlainCommand, key?: string) => Promise<CommandAnswer>;
  readonly startMaintenance: (
    service: string,
    ask: MaintenanceAsk,
    key?: string,
  ) => Promise<CommandAnswer>;
  readonly endMaintenance: (
    service: string,
    ask: { readonly site?: string; readonly reason?: string; readonly by?: string },
    key?: string,
  ) => Promise<CommandAnswer>;
  readonly applyConfig: (
    configuration: {
      readonly policies: readonly ServicePolicy[];
      readonly monitors: readonly MonitorPolicy[];
    },
    ask: Ask,
    key?: string,
  ) => Promise<CommandAnswer>;
}

export function createApiClient(options: ApiClientOptions): ApiClient {
  const transport: Transport = {
    token: options.token,
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    timeoutMs: options.timeoutMs,
  };
  const session: Session = { options, transport };
  const get = <Value>(path: string, schema: z.ZodType<Value>) =>
    read(session, { method: 'GET', path }, jsonOf(schema));
  const ask = (request: ClientRequest, isDryRun: boolean | undefined, key?: string) =>
    isDryRun === true
      ? read(session, request, jsonOf(commandAnswerSchema))
      : command(session, request, key);
  return {
    status: () => get('/v1/status', statusSchema),
    statusOfAll: () => statusOfAll(session),
    services: () => get('/v1/services', servicesSchema),
    runs: () => get('/v1/runs', runsSchema),
    run: (run) => get(`/v1/runs/${encodeURIComponent(run)}`, runSchema),
    report: (run, format) => {
      const path = `/v1/runs/${encodeURIComponent(run)}/report?format=${format}`;
      const accept = 'application/json, text/markdown';
      return read(session, { method: 'GET', path, accept }, (text) => ({ value: text }));
    },
    reports: (limit) => get(`/v1/reports?limit=${limit}`, reportListSchema),
    plan: (service, words) =>
      get(servicePath(service, `plan?${new URLSearchParams({ ...words })}`), planSchema),
    tabletop: (service, body) => {
      const path = servicePath(service, 'tabletop');
      return read(session, { method: 'POST', path, body }, jsonOf(tabletopSchema));
    },
    log: (after, limit) => get(`/v1/log?after=${after}&limit=${limit}`, logSchema),
    beats: (service, site) =>
      get(servicePath(service, `sites/${encodeURIComponent(site)}/beats`), beatHistorySchema),
    lookUp: (id) => get(`/v1/commands/${encodeURIComponent(id)}`, commandLookupSchema),
    failover: (service, body, key) =>
      ask({ method: 'POST', path: servicePath(service, 'failover'), body }, body.dryRun, key),
    failback: (service, body, key) =>
      ask({ method: 'POST', path: servicePath(service, 'failback'), body }, body.dryRun, key),
    note: (service, body, key) =>
      ask({ method: 'POST', path: servicePath(service, 'notes'), body }, false, key),
    send: (request, key) => ask(request, request.body?.dryRun, key),
    startMaintenance: (service, body, key) =>
      ask({ method: 'POST', path: servicePath(service, 'maintenance'), body }, body.dryRun, key),
    endMaintenance: (service, words, key) => {
      const query = new URLSearchParams({ ...words });
      const path = `${servicePath(service, 'maintenance')}?${query}`;
      return ask({ method: 'DELETE', path }, false, key);
    },
    applyConfig: ({ policies, monitors }, body, key) => {
      const request = { policies, monitors, ...body };
      return ask({ method: 'PUT', path: '/v1/config', body: request }, body.dryRun, key);
    },
  };
}

interface Session {
  readonly options: ApiClientOptions;
  readonly transport: Transport;
}

/** null = the text is not what the schema promises. */
type Parse<Value> = (text: string) => { readonly value: Value } | null;

/** Members that this client does not know are dropped, so that a newer region may answer. */
function jsonOf<Value>(schema: z.ZodType<Value>): Parse<Value> {
  return (text) => {
    const parsed = schema.safeParse(parseJson(text));
    return parsed.success ? { value: parsed.data } : null;
  };
}

function servicePath(service: string, action: string): string {
  return `/v1/services/${encodeURIComponent(service)}/${action}`;
}

const MALFORMED = 'the answer is not one that a region gives';
/** Problems of the request itself: every region would find the same. */
const SAME_EVERYWHERE: ReadonlySet<number> = new Set([400, 401, 405, 413, 415, 422]);

/** The first region that has it. One that lags may not know a run that another has begun. */
async function read<Value>(
  { options, transport }: Session,
  request: ClientRequest,
  parse: Parse<Value>,
): Promise<ReadAnswer<Value>> {
  const silences: Silence[] = [];
  let refusal: Extract<ReadAnswer<Value>, { kind: 'problem' }> | null = null;
  for (const endpoint of shuffled(options)) {
    const outcome = await exchange(transport, endpoint, request);
    if (outcome.kind === 'success') {
      const parsed = parse(outcome.text);
      if (parsed !== null) {
        return { kind: 'ok', value: parsed.value, endpoint };
      }
      silences.push({ endpoint, cause: MALFORMED });
    } else if (outcome.kind === 'problem') {
      const answer = { kind: 'problem', problem: outcome.problem, endpoint } as const;
      if (SAME_EVERYWHERE.has(outcome.problem.status)) {
        return answer;
      }
      refusal ??= answer;
    } else {
      silences.push({ endpoint, cause: outcome.cause });
    }
  }
  return refusal ?? { kind: 'unreachable', silences };
}

/** How long the other regions may take, where one has answered already. */
const SIGHT_PATIENCE_MS = 1000;

/** One region that answers is enough; of the others all are asked at once, and none is awaited long. */
async function statusOfAll(session: Session): Promise<ReadAnswer<StatusJson>> {
  const { options, transport } = session;
  const request: ClientRequest = { method: 'GET', path: '/v1/status' };
  const parse = jsonOf(statusSchema);
  const answer = await read(session, request, parse);
  if (answer.kind !== 'ok' || answer.value.monitors.length === 0) {
    return answer;
  }
  const brief = { ...transport, timeoutMs: Math.min(transport.timeoutMs, SIGHT_PATIENCE_MS) };
  const rest = options.endpoints.filter((endpoint) => endpoint !== answer.endpoint);
  const outcomes = await Promise.all(rest.map((endpoint) => exchange(brief, endpoint, request)));
  const others = outcomes.flatMap((outcome) => {
    const parsed = outcome.kind === 'success' ? parse(outcome.text) : null;
    return parsed === null ? [] : [parsed.value];
  });
  return { ...answer, value: withNewestSights(answer.value, others) };
}

/** What one endpoint's answer means for the command. */
type Finding =
  | { readonly kind: 'final'; readonly answer: CommandAnswer }
  /** Certainly not taken there. */
  | { readonly kind: 'not-taken'; readonly answer: CommandAnswer | null }
  | { readonly kind: 'in-doubt' };

async function command(
  { options, transport }: Session,
  request: ClientRequest,
  givenKey: string | undefined,
): Promise<CommandAnswer> {
  const key = givenKey ?? (options.newKey ?? (() => globalThis.crypto.randomUUID()))();
  const silences: Silence[] = [];
  let isInDoubt = false;
  let refusal: CommandAnswer | null = null;
  for (const endpoint of shuffled(options)) {
    const outcome = await exchange(transport, endpoint, { ...request, key });
    silences.push(...silenceOf(outcome, endpoint));
    const finding = findingOf(outcome, endpoint);
    if (finding.kind === 'final') {
      return finding.answer;
    }
    isInDoubt ||= finding.kind === 'in-doubt';
    refusal ??= finding.kind === 'not-taken' ? finding.answer : null;
    if (!isInDoubt && isSameEverywhere(refusal)) {
      break;
    }
  }
  const unknown = { kind: 'unknown', command: `key:${key}`, key, silences } as const;
  return isInDoubt ? unknown : (refusal ?? { kind: 'unreachable', silences });
}

type Outcome = Awaited<ReturnType<typeof exchange>>;

function silenceOf(outcome: Outcome, endpoint: string): readonly Silence[] {
  return 'cause' in outcome ? [{ endpoint, cause: outcome.cause }] : [];
}

function findingOf(outcome: Outcome, endpoint: string): Finding {
  switch (outcome.kind) {
    case 'success': {
      const parsed = jsonOf(commandAnswerSchema)(outcome.text);
      return parsed === null
        ? { kind: 'in-doubt' }
        : { kind: 'final', answer: { kind: 'ok', value: parsed.value, endpoint } };
    }
    case 'problem': {
      const { problem } = outcome;
      const answer = { kind: 'problem', problem, endpoint } as const;
      // An index means that the log has taken the command and refused it.
      if (problem.index !== undefined) {
        return { kind: 'final', answer };
      }
      const isInDoubt = problem.code === 'outcome-unknown' || problem.status === 500;
      return isInDoubt ? { kind: 'in-doubt' } : { kind: 'not-taken', answer };
    }
    case 'not-sent':
      return { kind: 'not-taken', answer: null };
    case 'lost':
      return { kind: 'in-doubt' };
  }
}

function isSameEverywhere(refusal: CommandAnswer | null): boolean {
  return refusal?.kind === 'problem' && SAME_EVERYWHERE.has(refusal.problem.status);
}

/** Fisher–Yates: no region is everybody's first choice. */
function shuffled({ endpoints, random }: ApiClientOptions): readonly string[] {
  const order = [...endpoints];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const pick = Math.floor(random() * (last + 1));
    const [a, b] = [order[last], order[pick]];
    if (a !== undefined && b !== undefined) {
      order[last] = b;
      order[pick] = a;
    }
  }
  return order;
}
