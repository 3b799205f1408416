/**
 * (j) A warm standby: the site that serves is killed, the other one grows by a hook of its owner, and only
 * then takes the traffic. Failed back, it is small again. People were told, each thing once.
 */
import { stagesOf } from '../support/case.ts';
import type { RecoveryCase } from '../support/recovery-case.ts';
import {
  SERVING,
  STANDBY,
  untilAnswered,
  untilEnded,
  untilReady,
} from '../support/recovery-place.ts';
import { now, require, until } from '../support/wait.ts';

export const warmStandby: RecoveryCase = async ({ cluster, surroundings, say }) => {
  const { hooks, told } = surroundings;
  await untilReady(cluster, 'orders');
  const before = await hooks.west.read();
  require(before.ready === STANDBY, `the standby runs ${before.ready} before anything happened`);
  say('killing the site that serves');
  const killedAt = await cluster.kill('orders@us-east-1');
  const grows = until(
    'the standby begins to grow',
    async () => ((await hooks.west.read()).desired === SERVING ? now() : null),
    { timeoutMs: 60_000, pollMs: 20 },
  );
  await untilAnswered(cluster, 'orders', '127.0.0.22');
  const answeredAt = now();
  const grown = await hooks.west.read();
  require(grown.ready === SERVING, `DNS moved while ${grown.ready} of ${SERVING} were ready`);
  const growMs = Math.round(answeredAt - (await grows));
  const run = await untilEnded(cluster, 'orders', 'failover');
  require(run.outcome.kind === 'done', `the run ended as ${JSON.stringify(run.outcome)}`);

  await cluster.bringUp('orders@us-east-1');
  await untilReady(cluster, 'orders');
  const words = ['failback', 'orders', '--reason', 'e2e', '--yes'];
  const command = await cluster.tripoint(...words);
  require(command.code === 0, `tripoint failback ended with ${command.code}:\n${command.output}`);
  await untilAnswered(cluster, 'orders', '127.0.0.21');
  const small = await until(
    'the standby is small again',
    async () => {
      const capacity = await hooks.west.read();
      return capacity.desired === STANDBY ? capacity : null;
    },
    { timeoutMs: 30_000 },
  );
  const subjects = await until(
    'people were told of both runs',
    async () => {
      const ended = told.filter(({ subject }) => subject === 'Tripoint: orders: a run is done');
      return ended.length >= 2 ? told.map(({ subject }) => subject) : null;
    },
    { timeoutMs: 30_000 },
  );
  const repeated = told.length - new Set(told.map(({ token }) => token)).size;
  return {
    killToDnsMs: Math.round(answeredAt - killedAt),
    growMs,
    readyAtSwitch: grown.ready,
    changesOfSize: small.changes,
    notices: subjects.length,
    noticesRepeated: repeated,
    ...stagesOf(run),
  };
};
