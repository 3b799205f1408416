/** ECS and Application Auto Scaling, as the stand-in answers them: JSON 1.1. */
import type { ActionWorld, ServiceState } from './action-world.ts';
import type { StandInAnswer, StandInRequest } from './actions-stand-in.ts';

export function answerJson(world: ActionWorld, call: StandInRequest): StandInAnswer {
  switch (call.action) {
    case 'DescribeServices':
      return describeService(world, call);
    case 'UpdateService':
      return updateService(world, call);
    case 'DescribeScalableTargets':
      return describeTarget(world, call);
    case 'RegisterScalableTarget':
      return registerTarget(world, call);
    case 'ListTagsForResource':
    case 'TagResource':
    case 'UntagResource':
      return tag(world, call);
    default:
      return error('UnknownOperationException', call.action);
  }
}

function ok(body: unknown): StandInAnswer {
  return { kind: 'ok', body: JSON.stringify(body) };
}

function error(code: string, message: string): StandInAnswer {
  return { kind: 'error', status: 400, code, message };
}

function describeService(world: ActionWorld, { input }: StandInRequest): StandInAnswer {
  const [name = ''] = input['services'] as string[];
  const found = world.services.get(`${String(input['cluster'])}/${name}`);
  return found === undefined
    ? ok({ services: [], failures: [{ reason: 'MISSING' }] })
    : ok({ services: [serviceJson(name, found)], failures: [] });
}

function serviceJson(name: string, { desired, running }: ServiceState): object {
  return {
    serviceName: name,
    status: 'ACTIVE',
    desiredCount: desired,
    runningCount: running,
    pendingCount: Math.max(0, desired - running),
  };
}

function updateService(world: ActionWorld, { input }: StandInRequest): StandInAnswer {
  const name = String(input['service']);
  const found = world.services.get(`${String(input['cluster'])}/${name}`);
  if (found === undefined) {
    return error('ServiceNotFoundException', 'Service not found.');
  }
  found.desired = Number(input['desiredCount']);
  world.changed('UpdateService', { name, desired: found.desired });
  return ok({ service: serviceJson(name, found) });
}

function describeTarget(world: ActionWorld, { input }: StandInRequest): StandInAnswer {
  const [id = ''] = input['ResourceIds'] as string[];
  const target = world.services.get(id.replace(/^service\//, ''))?.target ?? null;
  return ok({
    ScalableTargets:
      target === null
        ? []
        : [
            {
              ServiceNamespace: 'ecs',
              ResourceId: id,
              ScalableDimension: 'ecs:service:DesiredCount',
              MinCapacity: target.min,
              MaxCapacity: target.max,
              RoleARN: 'arn:aws:iam::123456789012:role/scaling',
              CreationTime: 1_700_000_000,
              ScalableTargetARN: arnOf(id),
            },
          ],
  });
}

function arnOf(id: string): string {
  return `arn:aws:application-autoscaling:us-west-2:123456789012:scalable-target/${id}`;
}

function registerTarget(world: ActionWorld, { input }: StandInRequest): StandInAnswer {
  const id = String(input['ResourceId']);
  const target = world.services.get(id.replace(/^service\//, ''))?.target;
  const min = Number(input['MinCapacity']);
  if (target === null || target === undefined || min > target.max) {
    return error('ValidationException', 'Maximum capacity cannot be less than minimum capacity');
  }
  target.min = min;
  world.changed('RegisterScalableTarget', min);
  return ok({ ScalableTargetARN: arnOf(id) });
}

function tag(world: ActionWorld, { action, input }: StandInRequest): StandInAnswer {
  const id = String(input['ResourceARN']).split('scalable-target/service/')[1] ?? '';
  const target = world.services.get(id)?.target ?? null;
  if (target === null) {
    return error('ResourceNotFoundException', 'no such target');
  }
  if (action === 'TagResource') {
    Object.assign(target.tags, input['Tags']);
  }
  if (action === 'UntagResource') {
    for (const key of input['TagKeys'] as string[]) {
      delete target.tags[key];
    }
  }
  return ok(action === 'ListTagsForResource' ? { Tags: target.tags } : {});
}
