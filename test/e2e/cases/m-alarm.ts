/**
 * (m) An alarm about the site that serves starts a failover, although the site itself beats on. With
 * leases the site gives its role up first, and says so: nobody waits for the lease to lapse.
 */
import { stagesOf } from '../support/case.ts';
import type { RecoveryCase } from '../support/recovery-case.ts';
import { untilAnswered, untilEnded, untilReady } from '../support/recovery-place.ts';
import { now, require } from '../support/wait.ts';

export const alarm: RecoveryCase = async ({ cluster, say }) => {
  await untilReady(cluster, 'billing');
  say('raising an alarm by the command line');
  const raisedAt = now();
  const raised = await cluster.tripoint('alarm', 'billing', 'us-east-1', 'error-rate', 'alarm');
  require(raised.code === 0, `tripoint alarm ended with ${raised.code}:\n${raised.output}`);
  await untilAnswered(cluster, 'billing', '127.0.0.26');
  const alarmToDnsMs = Math.round(now() - raisedAt);
  const run = await untilEnded(cluster, 'billing', 'failover');
  require(run.outcome.kind === 'done', `the run ended as ${JSON.stringify(run.outcome)}`);
  require(run.trigger === 'automatic', 'the alarm did not start it');
  const fence = run.steps.find(({ kind }) => kind === 'fence');
  require(fence?.state === 'done', 'no fence, although the policy has leases');
  const fenceMs = Date.parse(fence.at ?? '') - Date.parse(fence.openedAt ?? '');
  await cluster.tripoint('alarm', 'billing', 'us-east-1', 'error-rate', 'ok');
  await untilReady(cluster, 'billing');
  const back = await cluster.tripoint('failback', 'billing', '--reason', 'e2e', '--yes');
  require(back.code === 0, `tripoint failback ended with ${back.code}:\n${back.output}`);
  await untilAnswered(cluster, 'billing', '127.0.0.25');
  return { alarmToDnsMs, fenceMs, ...stagesOf(run) };
};
