/**
 * (k) Two sites that both serve: DNS gives each its share, a site that is killed gets none, and comes
 * back by a ramp. Shares are counted in real UDP answers and held against what was asked for by χ².
 */
import { ask } from '../support/dns.ts';
import type { RecoveryCase, RecoveryContext } from '../support/recovery-case.ts';
import { serviceOf, untilReady, WEIGHTS } from '../support/recovery-place.ts';
import { now, require, until } from '../support/wait.ts';

const EAST = '127.0.0.23';
const WEST = '127.0.0.24';
const SAMPLES = 1000;
/** One degree of freedom: beyond this once in 100,000 samples of a server that draws rightly. */
const CHI_SQUARE_MAX = 19.5;

export const weights: RecoveryCase = async (context) => {
  const { cluster, say } = context;
  await untilReady(cluster, 'catalog');
  const configured = await drawn(context, WEIGHTS['us-east-1']);
  say(`as configured: ${configured.eastPercent} % of ${SAMPLES} answers`);

  const words = ['weights', 'catalog', 'us-east-1=20', 'us-west-2=80', '--reason', 'e2e', '--yes'];
  const command = await cluster.tripoint(...words);
  require(command.code === 0, `tripoint weights ended with ${command.code}:\n${command.output}`);
  const asked = await drawn(context, 20);
  say(`as asked for: ${asked.eastPercent} % of ${SAMPLES} answers`);

  const killedAt = await cluster.kill('catalog@us-west-2');
  await until(
    'the killed site gets no traffic',
    async () => ((await share(context, 100)) === 100 ? true : null),
    { timeoutMs: 60_000, pollMs: 50 },
  );
  const killToNoneMs = Math.round(now() - killedAt);
  await cluster.bringUp('catalog@us-west-2');
  const startedAt = now();
  const back = await until(
    'the site has its share again',
    async () => {
      const service = (await serviceOf(cluster, 'catalog'))?.service;
      const isBack = service?.phase.kind === 'steady' && service.traffic['us-west-2'] === 80;
      return isBack ? service : null;
    },
    { timeoutMs: 90_000, pollMs: 100 },
  );
  require(back.granted, 'nobody is active');
  const returned = await drawn(context, 20);
  return {
    samples: SAMPLES,
    configured: { ...configured },
    asked: { ...asked },
    killToNoneMs,
    startToShareMs: Math.round(now() - startedAt),
    returned: { ...returned },
  };
};

interface Drawn {
  readonly eastPercent: number;
  readonly chiSquare: number;
}

/** @throws Error when the answers are not drawn by this share. */
async function drawn(context: RecoveryContext, percent: number): Promise<Drawn> {
  const eastPercent = await share(context, SAMPLES);
  const observed = (eastPercent * SAMPLES) / 100;
  const expected = (percent * SAMPLES) / 100;
  const chiSquare = (observed - expected) ** 2 * (1 / expected + 1 / (SAMPLES - expected));
  require(chiSquare <=
    CHI_SQUARE_MAX, `${eastPercent} % instead of ${percent} %: χ² is ${chiSquare.toFixed(1)}`);
  return { eastPercent, chiSquare: Math.round(chiSquare * 100) / 100 };
}

/** Per cent of answers that name the east. @throws Error for an answer that is not one address. */
async function share({ cluster }: RecoveryContext, samples: number): Promise<number> {
  let east = 0;
  for (let count = 0; count < samples; count += 1) {
    const values = await ask(cluster.file.dns, 'catalog.example.test');
    const answer = values?.join() ?? 'nothing';
    require(answer === EAST || answer === WEST, `DNS answered ${answer}`);
    east += answer === EAST ? 1 : 0;
  }
  return (100 * east) / samples;
}
