/**
 * The size of an EC2 Auto Scaling group.
 *
 * Ready is what the group itself calls InService and Healthy, in units of capacity: an instance of a
 * mixed group may weigh more than one. The cooldown is not honoured, because a disaster does not wait.
 * (EC2 Auto Scaling API: DescribeAutoScalingGroups, SetDesiredCapacity.)
 */
import {
  type AutoScalingClient,
  type AutoScalingGroup,
  DescribeAutoScalingGroupsCommand,
  SetDesiredCapacityCommand,
} from '@aws-sdk/client-auto-scaling';
import type { ScalableResource } from '../../recovery/plan.ts';
import type { CapacityView, ScalableAdapter } from './capacity.ts';
import { classifyActionFailure, classifyReadFailure, refused } from './errors.ts';

export type GroupClient = Pick<AutoScalingClient, 'send'>;
type GroupResource = Extract<ScalableResource, { readonly kind: 'auto-scaling-group' }>;

export function autoScalingGroup(
  client: GroupClient,
  { group, region }: GroupResource,
): ScalableAdapter {
  const subject = `Auto Scaling group ${group} in ${region}`;
  return {
    subject,
    view: async () => {
      try {
        const { AutoScalingGroups: [found] = [] } = await client.send(
          new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [group] }),
        );
        return found === undefined
          ? refused('resource-absent', `there is no ${subject}; check its name in the file`)
          : { kind: 'read', view: viewOf(found) };
      } catch (thrown) {
        return classifyReadFailure(thrown, subject);
      }
    },
    change: async (desired) => {
      try {
        await client.send(
          new SetDesiredCapacityCommand({
            AutoScalingGroupName: group,
            DesiredCapacity: desired,
            HonorCooldown: false,
          }),
        );
        return null;
      } catch (thrown) {
        return classifyActionFailure(thrown, subject);
      }
    },
  };
}

function viewOf(group: AutoScalingGroup): CapacityView {
  const ready = (group.Instances ?? [])
    .filter(({ LifecycleState, HealthStatus }) => {
      return LifecycleState === 'InService' && HealthStatus === 'Healthy';
    })
    .reduce((sum, { WeightedCapacity }) => sum + Number(WeightedCapacity ?? '1'), 0);
  return {
    desired: group.DesiredCapacity ?? 0,
    ready,
    max: group.MaxSize ?? null,
    min: group.MinSize ?? 0,
    isHeld: () => true,
  };
}
