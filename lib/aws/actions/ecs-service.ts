/**
 * The count of an ECS service, and the floor under it.
 *
 * A service with scaling policies has a scalable target in Application Auto Scaling. A standby that was
 * just grown idles, and such a policy would take the new tasks away before the traffic comes. So the
 * target's minimum is raised with the count, and put back when the service stands by again. What it was
 * is kept in a tag of the target, written before the change: whoever puts it back, in which process
 * ever, finds it there.
 *
 * Timeline of a crash while growing: tag written | minimum raised | count raised. A repeat sees the tag
 * and leaves it, and does what is missing. While shrinking: minimum put back | count lowered | tag taken
 * away; a repeat sees the tag and begins anew. (ECS: DescribeServices, UpdateService; Application Auto
 * Scaling: DescribeScalableTargets, RegisterScalableTarget.)
 */
import {
  type ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  ListTagsForResourceCommand,
  RegisterScalableTargetCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { DescribeServicesCommand, type ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import type { ScaleRequest } from '../../recovery/action-ports.ts';
import type { ScalableResource } from '../../recovery/plan.ts';
import type { CapacityView, ScalableAdapter, ViewReading } from './capacity.ts';
import { classifyActionFailure, classifyReadFailure, refused } from './errors.ts';

export interface ServiceClients {
  readonly ecs: Pick<ECSClient, 'send'>;
  readonly scaling: Pick<ApplicationAutoScalingClient, 'send'>;
}

type ServiceResource = Extract<ScalableResource, { readonly kind: 'ecs-service' }>;

/** Holds the minimum of before while it is raised. */
const MINIMUM_TAG = 'tripoint:minimum-before';
const DIMENSION = 'ecs:service:DesiredCount';

interface Floor {
  readonly arn: string;
  readonly min: number;
  readonly max: number;
  /** What it was before it was raised; null = it is not raised. */
  readonly before: number | null;
}

interface ServiceView extends CapacityView {
  /** null = nothing scales this service by itself. */
  readonly floor: Floor | null;
}

export function ecsService(clients: ServiceClients, resource: ServiceResource): ScalableAdapter {
  const subject = `ECS service ${resource.service} of ${resource.cluster} in ${resource.region}`;
  let seen: ServiceView | null = null;
  return {
    subject,
    view: async () => {
      const reading = await viewService(clients, resource, subject);
      seen = reading.kind === 'read' ? reading.view : null;
      return reading;
    },
    change: async (desired, request, { desired: before }) => {
      try {
        const floor = seen?.floor ?? null;
        const { cluster, service } = resource;
        const isLowered = floor !== null && isLowering(request, floor);
        if (floor !== null && floor.min !== floorWanted(request, floor)) {
          await moveFloor(clients, resource, { request, floor });
        }
        if (desired !== before) {
          await clients.ecs.send(
            new UpdateServiceCommand({ cluster, service, desiredCount: desired }),
          );
        }
        if (isLowered && floor.before !== null) {
          await clients.scaling.send(
            new UntagResourceCommand({ ResourceARN: floor.arn, TagKeys: [MINIMUM_TAG] }),
          );
        }
        return null;
      } catch (thrown) {
        return classifyActionFailure(thrown, subject);
      }
    },
  };
}

async function viewService(
  clients: ServiceClients,
  resource: ServiceResource,
  subject: string,
): Promise<
  { readonly kind: 'read'; readonly view: ServiceView } | Exclude<ViewReading, { kind: 'read' }>
> {
  try {
    const { services: [found] = [] } = await clients.ecs.send(
      new DescribeServicesCommand({ cluster: resource.cluster, services: [resource.service] }),
    );
    if (found === undefined || found.status === 'INACTIVE') {
      return refused('resource-absent', `there is no ${subject}; check its name in the file`);
    }
    const floor = await readFloor(clients, resource);
    const view: ServiceView = {
      desired: found.desiredCount ?? 0,
      ready: found.runningCount ?? 0,
      max: floor?.max ?? null,
      min: floor === null ? 0 : (floor.before ?? floor.min),
      floor,
      isHeld: (request) => floor === null || isAsWanted(request, floor),
    };
    return { kind: 'read', view };
  } catch (thrown) {
    return classifyReadFailure(thrown, subject);
  }
}

async function readFloor(
  { scaling }: ServiceClients,
  resource: ServiceResource,
): Promise<Floor | null> {
  const { ScalableTargets: [target] = [] } = await scaling.send(
    new DescribeScalableTargetsCommand({
      ServiceNamespace: 'ecs',
      ScalableDimension: DIMENSION,
      ResourceIds: [resourceIdOf(resource)],
    }),
  );
  const arn = target?.ScalableTargetARN;
  if (target === undefined || arn === undefined) {
    return null;
  }
  const { Tags = {} } = await scaling.send(new ListTagsForResourceCommand({ ResourceARN: arn }));
  const kept = Tags[MINIMUM_TAG];
  return {
    arn,
    min: target.MinCapacity ?? 0,
    max: target.MaxCapacity ?? 0,
    before: kept === undefined ? null : Number(kept),
  };
}

async function moveFloor(
  { scaling }: ServiceClients,
  resource: ServiceResource,
  { request, floor }: { readonly request: ScaleRequest; readonly floor: Floor },
): Promise<void> {
  if (floor.before === null) {
    await scaling.send(
      new TagResourceCommand({
        ResourceARN: floor.arn,
        Tags: { [MINIMUM_TAG]: String(floor.min) },
      }),
    );
  }
  await scaling.send(
    new RegisterScalableTargetCommand({
      ServiceNamespace: 'ecs',
      ScalableDimension: DIMENSION,
      ResourceId: resourceIdOf(resource),
      MinCapacity: floorWanted(request, floor),
    }),
  );
}

/** Allowed to lower means: this site is to stand by, so what was raised for it is put back. */
function isLowering({ mayLower }: ScaleRequest, { before }: Floor): boolean {
  return mayLower && before !== null;
}

function floorWanted(request: ScaleRequest, floor: Floor): number {
  return isLowering(request, floor)
    ? (floor.before ?? floor.min)
    : request.mayLower
      ? floor.min
      : Math.max(floor.min, request.desired);
}

function isAsWanted(request: ScaleRequest, floor: Floor): boolean {
  return floor.min === floorWanted(request, floor) && !isLowering(request, floor);
}

/** ARNs are accepted by ECS where names are; Application Auto Scaling knows names only. */
function resourceIdOf({ cluster, service }: ServiceResource): string {
  const name = (text: string) => text.split('/').at(-1) ?? text;
  return `service/${name(cluster)}/${name(service)}`;
}
