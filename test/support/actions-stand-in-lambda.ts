/** Lambda, as the stand-in answers it: REST and JSON. */
import type { ActionWorld, ConcurrencyState } from './action-world.ts';
import type { StandInAnswer, StandInRequest } from './actions-stand-in.ts';

const PATH = /\/functions\/([^/]+)\/(invocations|provisioned-concurrency)(?:\?Qualifier=([^&]+))?/;

export function answerLambda(world: ActionWorld, call: StandInRequest): StandInAnswer {
  const [, name = '', what, qualifier = ''] = PATH.exec(call.path) ?? [];
  if (what === 'invocations') {
    return invoke(world, call, name);
  }
  if (!world.functionNames.has(name)) {
    return error(404, 'ResourceNotFoundException', `Function not found: ${name}`);
  }
  const place = `${name}:${qualifier}`;
  const standing = world.concurrencies.get(place);
  switch (call.action) {
    case 'PUT concurrency':
      return put(world, { place, wanted: Number(call.input['ProvisionedConcurrentExecutions']) });
    case 'DELETE concurrency':
      world.concurrencies.delete(place);
      world.changed('DeleteProvisionedConcurrencyConfig', place);
      return { kind: 'ok', body: '' };
    default:
      return standing === undefined
        ? error(404, 'ProvisionedConcurrencyConfigNotFoundException', 'No Provisioned Concurrency')
        : { kind: 'ok', body: concurrencyJson(standing) };
  }
}

function error(status: number, code: string, message: string): StandInAnswer {
  return { kind: 'error', status, code, message };
}

function concurrencyJson({ requested, available, status }: ConcurrencyState): string {
  return JSON.stringify({
    RequestedProvisionedConcurrentExecutions: requested,
    AvailableProvisionedConcurrentExecutions: available,
    AllocatedProvisionedConcurrentExecutions: available,
    Status: status,
  });
}

function put(
  world: ActionWorld,
  { place, wanted }: { readonly place: string; readonly wanted: number },
): StandInAnswer {
  if (wanted > world.concurrencyMax) {
    const message = 'Specified ConcurrentExecutions for function is greater than available';
    return error(400, 'InvalidParameterValueException', message);
  }
  const standing = world.concurrencies.get(place);
  const available = standing?.available ?? 0;
  world.concurrencies.set(place, { requested: wanted, available, status: 'IN_PROGRESS' });
  world.changed('PutProvisionedConcurrencyConfig', wanted);
  return { kind: 'ok', body: concurrencyJson(world.concurrencies.get(place) as ConcurrencyState) };
}

function invoke(world: ActionWorld, { input }: StandInRequest, name: string): StandInAnswer {
  const found = world.functions.get(name);
  if (found === undefined) {
    return error(404, 'ResourceNotFoundException', `Function not found: ${name}`);
  }
  world.changed('Invoke', input);
  const headers: Record<string, string> = { 'x-amz-executed-version': '$LATEST' };
  if (found.isError) {
    headers['x-amz-function-error'] = 'Unhandled';
  }
  return { kind: 'ok', body: JSON.stringify(found.answer), headers };
}
