/**
 * Provisioned concurrency of a Lambda alias or version. None is a configuration that is not there.
 *
 * An allocation that failed is asked for again by the next attempt, and says why in the cause.
 * (Lambda API: Get/Put/DeleteProvisionedConcurrencyConfig.)
 */
import {
  DeleteProvisionedConcurrencyConfigCommand,
  GetProvisionedConcurrencyConfigCommand,
  type LambdaClient,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import type { ActionOutcome } from '../../recovery/action-ports.ts';
import type { ScalableResource } from '../../recovery/plan.ts';
import type { CapacityView, ScalableAdapter, ViewReading } from './capacity.ts';
import { classifyActionFailure, classifyReadFailure, refused } from './errors.ts';

export type FunctionClient = Pick<LambdaClient, 'send'>;
type ConcurrencyResource = Extract<ScalableResource, { readonly kind: 'lambda-concurrency' }>;

const NO_CONFIGURATION = 'ProvisionedConcurrencyConfigNotFoundException';
/** What Lambda answers when the account's or the function's own limit is smaller. */
const OVER_LIMIT = /concurren/i;

export function lambdaConcurrency(
  client: FunctionClient,
  { functionName, qualifier, region }: ConcurrencyResource,
): ScalableAdapter {
  const subject = `provisioned concurrency of ${functionName}:${qualifier} in ${region}`;
  const place = { FunctionName: functionName, Qualifier: qualifier };
  return {
    subject,
    view: () => view(client, place, subject),
    change: async (desired) => {
      try {
        await (desired === 0
          ? client.send(new DeleteProvisionedConcurrencyConfigCommand(place))
          : client.send(
              new PutProvisionedConcurrencyConfigCommand({
                ...place,
                ProvisionedConcurrentExecutions: desired,
              }),
            ));
        return null;
      } catch (thrown) {
        return changeFailure(thrown, subject);
      }
    },
  };
}

async function view(
  client: FunctionClient,
  place: { readonly FunctionName: string; readonly Qualifier: string },
  subject: string,
): Promise<ViewReading> {
  try {
    const found = await client.send(new GetProvisionedConcurrencyConfigCommand(place));
    return {
      kind: 'read',
      view: viewOf({
        desired: found.RequestedProvisionedConcurrentExecutions ?? 0,
        ready: found.AvailableProvisionedConcurrentExecutions ?? 0,
        // A failed allocation is not what was wanted, so it is asked for once more.
        isSettled: found.Status !== 'FAILED',
      }),
    };
  } catch (thrown) {
    return thrown instanceof Error && thrown.name === NO_CONFIGURATION
      ? { kind: 'read', view: viewOf({ desired: 0, ready: 0, isSettled: true }) }
      : classifyReadFailure(thrown, subject);
  }
}

function viewOf(found: {
  readonly desired: number;
  readonly ready: number;
  readonly isSettled: boolean;
}): CapacityView {
  const { desired, ready, isSettled } = found;
  return { desired, ready, max: null, min: 0, isHeld: () => isSettled };
}

function changeFailure(
  thrown: unknown,
  subject: string,
): Exclude<ActionOutcome, { readonly kind: 'done' }> {
  const isTooMany =
    thrown instanceof Error &&
    thrown.name === 'InvalidParameterValueException' &&
    OVER_LIMIT.test(thrown.message);
  return isTooMany
    ? refused('capacity-over-max', `${subject}: ${thrown.message}; raise the limit of the account`)
    : classifyActionFailure(thrown, subject);
}
