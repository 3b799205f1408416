/**
 * Calls a Lambda function of the owner's as one step, and waits for what it says.
 *
 * The function is told the run, the step, its token and its epoch, and is called again after a lost
 * answer, so it must be idempotent by the token. `{"status":"pending"}` means not yet: it is asked again
 * later. An error that it raises (`FunctionError`) is its last word: the step has failed.
 * (Lambda API: Invoke, invocation type RequestResponse.)
 */
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import type { JsonValue } from '../../base/json.ts';
import {
  type ActionContext,
  type ActionOutcome,
  actionToken,
  type LambdaAction,
} from '../../recovery/action-ports.ts';
import { classifyActionFailure, refused } from './errors.ts';
import { parseJson } from './http.ts';
import { ANSWER_BYTES_MAX, DETAIL_CHARACTERS_MAX } from './limits.ts';

const pendingSchema = z.object({ status: z.literal('pending') });

export async function invokeFunction(
  client: Pick<LambdaClient, 'send'>,
  { functionName, region, payload }: LambdaAction,
  context: ActionContext,
): Promise<ActionOutcome> {
  const subject = `function ${functionName} in ${region}`;
  const event = { ...payload, ...contextBody(context) };
  try {
    const answer = await client.send(
      new InvokeCommand({
        FunctionName: functionName,
        InvocationType: 'RequestResponse',
        Payload: Buffer.from(JSON.stringify(event), 'utf8'),
      }),
    );
    const bytes = Buffer.from(answer.Payload ?? []);
    const text = bytes.subarray(0, ANSWER_BYTES_MAX).toString('utf8');
    if (answer.FunctionError !== undefined) {
      const said = text.slice(0, DETAIL_CHARACTERS_MAX / 2);
      return refused('function-error', `${subject}: ${answer.FunctionError}: ${said}`);
    }
    const evidence = { function: functionName, version: answer.ExecutedVersion ?? null };
    return pendingSchema.safeParse(parseJson(text)).success
      ? { kind: 'pending', code: 'receiver-pending', evidence }
      : { kind: 'done', evidence };
  } catch (thrown) {
    return classifyActionFailure(thrown, subject);
  }
}

/** What every outside receiver is told of the step. */
export function contextBody(context: ActionContext): { readonly [key: string]: JsonValue } {
  const { run, step, service, from, to, epoch, mode } = context;
  return {
    run,
    step,
    service,
    from,
    to,
    epoch: { term: epoch.term, index: epoch.index },
    mode,
    token: actionToken(context),
  };
}
