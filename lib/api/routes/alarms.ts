/**
 * Alarms in: what any monitor says about a site that Tripoint itself does not see.
 *
 * Only what is new becomes an entry: a monitor that repeats itself each minute, or a storm, costs
 * reads. An alarm that changes too often is answered with 429 and when to bring it again; the one who
 * raises it must, or the log goes on saying what was before.
 */
import { createRoute } from '@hono/zod-openapi';
import { describeError } from '../../base/errors.ts';
import { type CommandId, commandId } from '../../base/identifiers.ts';
import type { AlarmCommand } from '../../control/alarm-commands.ts';
import { type AlarmOutcome, raiseAlarm } from '../../control/alarm-intake.ts';
import { type Guards, guarded } from '../access.ts';
import type { ApiApp, ApiDependencies } from '../dependencies.ts';
import { committedStatus, problem } from '../errors.ts';
import { alarmBody, commandHeaders } from '../requests.ts';
import {
  answerOutcome,
  COMMAND_ID_HEADER,
  COMMON,
  keyOf,
  OK,
  STARTED,
  unsettled,
} from './commands.ts';
import { jsonBody, PROBLEM_RESPONSE } from './definition.ts';

const alarmRoute = createRoute({
  ...COMMON,
  method: 'post',
  path: '/v1/alarms',
  summary: 'Report that an alarm about a site changed its state.',
  request: { headers: commandHeaders, body: jsonBody(alarmBody) },
  responses: { 200: OK, 202: STARTED, default: PROBLEM_RESPONSE },
});

export function registerAlarms(app: ApiApp, dependencies: ApiDependencies, guards: Guards): void {
  const { clock, plane, randomId } = dependencies;
  app.openapi(guarded(app, guards.operator, alarmRoute), async (c) => {
    const { service, site, name, state } = c.req.valid('json');
    const command = { kind: 'alarm', service, site, name, state, at: clock.wallNow() } as const;
    const key = keyOf(c);
    const id = commandId(key === undefined ? randomId() : `key:${key}`);
    const outcome = await raise(dependencies, id, command);
    c.header(COMMAND_ID_HEADER, id);
    switch (outcome.kind) {
      case 'nothing-new': {
        const { code, sentence } = outcome.result;
        const { appliedIndex: index, appliedTerm: term } = plane.status().position;
        const body = { dryRun: false, command: id as string, index, term, code, sentence } as const;
        return c.json(body, committedStatus(null));
      }
      case 'later':
        return problem(c, 'alarm-damped', {
          detail: outcome.sentence,
          retryAfterSeconds: Math.ceil(outcome.retryMs / 1000),
        });
      default:
        return answerOutcome(c, id, outcome);
    }
  });
}

/** An exception on the way is "nobody knows": the entry may have been written before it was thrown. */
async function raise(
  { plane, log }: ApiDependencies,
  id: CommandId,
  command: AlarmCommand,
): Promise<AlarmOutcome> {
  try {
    return await raiseAlarm(plane, id, command);
  } catch (thrown) {
    log('error', 'propose-threw', { command: id, error: describeError(thrown) });
    return unsettled(id);
  }
}
