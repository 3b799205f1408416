/** Auto Scaling, RDS and SNS, as the stand-in answers them: query in, XML out. */
import type { ActionWorld, GlobalState, GroupState, InstanceState } from './action-world.ts';
import type { StandInAnswer, StandInRequest } from './actions-stand-in.ts';

export function answerQuery(world: ActionWorld, call: StandInRequest): StandInAnswer {
  const text = (name: string) => String(call.input[name] ?? '');
  switch (call.action) {
    case 'DescribeAutoScalingGroups':
      return describeGroup(world, text('AutoScalingGroupNames.member.1'));
    case 'SetDesiredCapacity':
      return setDesired(world, text('AutoScalingGroupName'), Number(text('DesiredCapacity')));
    case 'DescribeGlobalClusters':
      return describeGlobal(world, text('GlobalClusterIdentifier'));
    case 'SwitchoverGlobalCluster':
    case 'FailoverGlobalCluster':
      return moveGlobal(world, call, text('GlobalClusterIdentifier'));
    case 'DescribeDBInstances':
      return describeInstance(world, text('DBInstanceIdentifier'));
    case 'PromoteReadReplica':
      return promoteInstance(world, text('DBInstanceIdentifier'));
    case 'Publish':
      return publish(world, call);
    default:
      return error('InvalidAction', `no action ${call.action}`);
  }
}

function ok(action: string, content: string): StandInAnswer {
  const result = `<${action}Result>${content}</${action}Result>`;
  return { kind: 'ok', body: `<${action}Response>${result}</${action}Response>` };
}

function error(code: string, message: string, status = 400): StandInAnswer {
  return { kind: 'error', status, code, message };
}

function describeGroup(world: ActionWorld, name: string): StandInAnswer {
  const group = world.groups.get(name);
  const member = group === undefined ? '' : `<member>${groupXml(name, group)}</member>`;
  return ok('DescribeAutoScalingGroups', `<AutoScalingGroups>${member}</AutoScalingGroups>`);
}

function groupXml(name: string, { desired, min, max, ready, weight }: GroupState): string {
  const weighed = weight === undefined ? '' : `<WeightedCapacity>${weight}</WeightedCapacity>`;
  const instance = (state: string) =>
    `<member><InstanceId>i-1</InstanceId><LifecycleState>${state}</LifecycleState><HealthStatus>Healthy</HealthStatus>${weighed}</member>`;
  const instances = [
    ...Array.from({ length: ready }, () => instance('InService')),
    ...Array.from({ length: Math.max(0, desired - ready) }, () => instance('Pending')),
  ];
  return `<AutoScalingGroupName>${name}</AutoScalingGroupName><MinSize>${min}</MinSize><MaxSize>${max}</MaxSize><DesiredCapacity>${desired}</DesiredCapacity><Instances>${instances.join('')}</Instances>`;
}

function setDesired(world: ActionWorld, name: string, desired: number): StandInAnswer {
  const group = world.groups.get(name);
  if (group === undefined) {
    return error('ValidationError', 'AutoScalingGroup name not found');
  }
  if (desired > group.max || desired < group.min) {
    return error('ValidationError', `New SetDesiredCapacity value ${desired} is out of bounds`);
  }
  group.desired = desired;
  world.changed('SetDesiredCapacity', { name, desired });
  return { kind: 'ok', body: '<SetDesiredCapacityResponse/>' };
}

function describeGlobal(world: ActionWorld, name: string): StandInAnswer {
  const found = world.globals.get(name);
  return found === undefined
    ? error('GlobalClusterNotFoundFault', 'Global cluster not found', 404)
    : ok('DescribeGlobalClusters', `<GlobalClusters>${globalXml(name, found)}</GlobalClusters>`);
}

function globalXml(name: string, { status, writer, members, failover }: GlobalState): string {
  const list = members.map(
    (arn) =>
      `<GlobalClusterMember><DBClusterArn>${arn}</DBClusterArn><IsWriter>${arn === writer}</IsWriter></GlobalClusterMember>`,
  );
  const state =
    failover === null
      ? ''
      : `<FailoverState><Status>failing-over</Status><ToDbClusterArn>${failover.to}</ToDbClusterArn><IsDataLossAllowed>${failover.isLossAllowed}</IsDataLossAllowed></FailoverState>`;
  return `<GlobalClusterMember><GlobalClusterIdentifier>${name}</GlobalClusterIdentifier><Status>${status}</Status><GlobalClusterMembers>${list.join('')}</GlobalClusterMembers>${state}</GlobalClusterMember>`;
}

function moveGlobal(world: ActionWorld, call: StandInRequest, name: string): StandInAnswer {
  const found = world.globals.get(name);
  const to = String(call.input['TargetDbClusterIdentifier'] ?? '');
  if (found === undefined) {
    return error('GlobalClusterNotFoundFault', 'Global cluster not found', 404);
  }
  if (found.failover !== null || found.status !== 'available') {
    return error('InvalidGlobalClusterStateFault', `Global cluster is ${found.status}`);
  }
  if (!found.members.includes(to)) {
    return error('DBClusterNotFoundFault', `no cluster ${to}`, 404);
  }
  const isLossAllowed = call.input['AllowDataLoss'] === 'true';
  found.failover = { to, isLossAllowed };
  found.status = call.action === 'SwitchoverGlobalCluster' ? 'switching-over' : 'failing-over';
  world.changed(call.action, { name, to, region: call.region, isLossAllowed });
  return ok(call.action, `<GlobalCluster>${globalXml(name, found)}</GlobalCluster>`);
}

function describeInstance(world: ActionWorld, name: string): StandInAnswer {
  const found = world.instances.get(name);
  return found === undefined
    ? error('DBInstanceNotFound', `DBInstance ${name} not found.`, 404)
    : ok('DescribeDBInstances', `<DBInstances>${instanceXml(name, found)}</DBInstances>`);
}

function instanceXml(name: string, { status, source }: InstanceState): string {
  const replica =
    source === null
      ? ''
      : `<ReadReplicaSourceDBInstanceIdentifier>${source}</ReadReplicaSourceDBInstanceIdentifier>`;
  return `<DBInstance><DBInstanceIdentifier>${name}</DBInstanceIdentifier><DBInstanceStatus>${status}</DBInstanceStatus>${replica}</DBInstance>`;
}

function promoteInstance(world: ActionWorld, name: string): StandInAnswer {
  const found = world.instances.get(name);
  if (found === undefined) {
    return error('DBInstanceNotFound', `DBInstance ${name} not found.`, 404);
  }
  if (found.source === null || found.status !== 'available') {
    return error('InvalidDBInstanceState', 'DB Instance is not a read replica or not available.');
  }
  found.status = 'modifying';
  world.changed('PromoteReadReplica', name);
  return ok('PromoteReadReplica', instanceXml(name, found));
}

function publish(world: ActionWorld, { input, region }: StandInRequest): StandInAnswer {
  const topic = String(input['TopicArn'] ?? '');
  const subject = String(input['Subject'] ?? '');
  if (!world.topics.has(topic)) {
    return error('NotFound', 'Topic does not exist', 404);
  }
  if (!/^[ -~]{1,100}$/.test(subject)) {
    return error('InvalidParameter', 'Invalid parameter: Subject');
  }
  const deduplication = input['MessageDeduplicationId'];
  const message = input['Message'];
  world.changed('Publish', { topic, subject, message, region, deduplication });
  return ok('Publish', '<MessageId>message-1</MessageId>');
}
