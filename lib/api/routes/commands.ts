/**
 * What changes something: each request becomes one command in the log, or none.
 *
 * The answer has the three values of the log. Done and refused are both committed and come back
 * with index and term; whatever else happens on the way, the answer says either that the command
 * never will be in the log, or that nobody knows, with the id to ask about. An exception on the way
 * is "nobody knows" too: the entry may have been written before it was thrown.
 */
import { createRoute } from '@hono/zod-openapi';
import { describeError } from '../../base/errors.ts';
import { type CommandId, commandId } from '../../base/identifiers.ts';
import { hashConfiguration } from '../../config/configuration-hash.ts';
import type { ControlCommand } from '../../control/commands.ts';
import type { CommandOutcome } from '../../control/control-plane.ts';
import type { RunMode } from '../../recovery/plan.ts';
import { type Guards, guarded } from '../access.ts';
import type { ApiApp, ApiContext, ApiDependencies } from '../dependencies.ts';
import { committedStatus, dryRunStatus, problem, refusal, rejection } from '../errors.ts';
import { presentRun } from '../present.ts';
import {
  commandHeaders,
  configBody,
  failbackBody,
  failoverBody,
  noteBody,
  serviceParams,
} from '../requests.ts';
import { acceptedSchema, commandAnswerSchema } from '../schemas.ts';
import { COMMAND_SECURITY, jsonBody, jsonResponse, PROBLEM_RESPONSE } from './definition.ts';

/** Carries the id of the command in every answer to one that was proposed. */
export const COMMAND_ID_HEADER = 'tripoint-command-id';

export const ACTOR_DEFAULT = 'operator';
export const OK = jsonResponse(
  'Committed and accepted; or the answer to a dry run.',
  commandAnswerSchema,
);
export const STARTED = jsonResponse('Committed and accepted: a run has begun.', acceptedSchema);
export const COMMON = { security: COMMAND_SECURITY, tags: ['commands'] };

const failoverRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/services/{service}/failover',
  summary: 'Move a service to another site.',
  request: { params: serviceParams, headers: commandHeaders, body: jsonBody(failoverBody) },
  responses: { 200: OK, 202: STARTED, default: PROBLEM_RESPONSE },
});

const failbackRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/services/{service}/failback',
  summary: 'Move a service back to its primary site.',
  request: { params: serviceParams, headers: commandHeaders, body: jsonBody(failbackBody) },
  responses: { 200: OK, 202: STARTED, default: PROBLEM_RESPONSE },
});

const noteRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/services/{service}/notes',
  summary: 'Put a remark on the timeline.',
  request: { params: serviceParams, headers: commandHeaders, body: jsonBody(noteBody) },
  responses: { 200: OK, 202: STARTED, default: PROBLEM_RESPONSE },
});

const configRoute = createRoute({
  ...COMMON,
  method: 'put',
  path: '/v1/config',
  summary: 'Replace all policies.',
  request: { headers: commandHeaders, body: jsonBody(configBody) },
  responses: { 200: OK, 202: STARTED, default: PROBLEM_RESPONSE },
});

export function registerCommands(app: ApiApp, dependencies: ApiDependencies, guards: Guards): void {
  const { clock } = dependencies;
  app.openapi(guarded(app, guards.operator, failoverRoute), (c) => {
    const { service } = c.req.valid('param');
    const { to = null, dryRun, ...words } = switchWords(c.req.valid('json'));
    const command = { kind: 'failover', service, to, ...words, at: clock.wallNow() } as const;
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, failbackRoute), (c) => {
    const { service } = c.req.valid('param');
    const { dryRun, ...words } = switchWords(c.req.valid('json'));
    const command = { kind: 'failback', service, ...words, at: clock.wallNow() } as const;
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, noteRoute), (c) => {
    const { service } = c.req.valid('param');
    const { text: reason, by = ACTOR_DEFAULT } = c.req.valid('json');
    const command = { kind: 'note', service, reason, by, at: clock.wallNow() } as const;
    return answer(c, dependencies, { command, dryRun: false, key: keyOf(c) });
  });
  app.openapi(guarded(app, guards.operator, configRoute), (c) => {
    const { policies, monitors, reason, dryRun, by = ACTOR_DEFAULT } = c.req.valid('json');
    const at = clock.wallNow();
    const configHash = hashConfiguration(policies, monitors);
    const command = { kind: 'configure', configHash, policies, monitors, reason, by, at } as const;
    return answer(c, dependencies, { command, dryRun, key: keyOf(c) });
  });
}

/** The members that a request may leave out, as the log wants them. */
function switchWords<
  Body extends { readonly mode?: RunMode | undefined; readonly by?: string | undefined },
>(body: Body) {
  const { mode = null, by = ACTOR_DEFAULT, ...rest } = body;
  return { ...rest, mode, by };
}

interface Asked {
  readonly command: ControlCommand;
  readonly dryRun: boolean;
  /** From the header Idempotency-Key; undefined = every request is a new command. */
  readonly key: string | undefined;
}

/** Proposes the command, or tries it, and answers what became of it. */
export async function answer(c: ApiContext, dependencies: ApiDependencies, asked: Asked) {
  if (asked.dryRun) {
    const { result, run } = dependencies.plane.dryRun(asked.command);
    const { kind, ...rest } = result;
    const plan = run === null ? null : presentRun(run);
    return c.json({ dryRun: true, wouldBe: kind, ...rest, plan } as const, dryRunStatus);
  }
  const id = commandId(asked.key === undefined ? dependencies.randomId() : `key:${asked.key}`);
  const outcome = await propose(dependencies, id, asked.command);
  c.header(COMMAND_ID_HEADER, id);
  return answerOutcome(c, id, outcome);
}

/** What became of a command that was proposed. */
export function answerOutcome(c: ApiContext, id: CommandId, outcome: CommandOutcome) {
  switch (outcome.kind) {
    case 'committed':
      return outcome.result.kind === 'accepted'
        ? accepted(c, outcome, outcome.result)
        : refusal(c, outcome);
    case 'rejected':
      return rejection(c, outcome);
    case 'unknown':
      return problem(c, 'outcome-unknown', {
        detail: `command ${id} may be committed, now or later`,
        hint: outcome.hint,
        command: id,
      });
  }
}

type Committed = Extract<CommandOutcome, { kind: 'committed' }>;

function accepted(
  c: ApiContext,
  { id, index, term }: Committed,
  { code, sentence, run }: Extract<Committed['result'], { kind: 'accepted' }>,
) {
  const body = { dryRun: false, command: id as string, index, term, code, sentence } as const;
  if (run === undefined) {
    return c.json(body, committedStatus(null));
  }
  c.header('location', `/v1/runs/${encodeURIComponent(run)}`);
  return c.json({ ...body, run }, committedStatus(run));
}

async function propose(
  { plane, log }: ApiDependencies,
  id: CommandId,
  command: ControlCommand,
): Promise<CommandOutcome> {
  try {
    return await plane.propose(id, command);
  } catch (thrown) {
    log('error', 'propose-threw', { command: id, error: describeError(thrown) });
    return unsettled(id);
  }
}

/** Something was thrown on the way. */
export function unsettled(id: CommandId): CommandOutcome {
  const hint = `An unexpected error was met and logged. GET /v1/commands/${encodeURIComponent(id)}.`;
  return { kind: 'unknown', id, hint };
}

export function keyOf(c: ApiContext): string | undefined {
  const header = c.req.header('idempotency-key');
  return header === undefined ? undefined : (/^"(.+)"$/.exec(header)?.[1] ?? header);
}
