/** `tripoint beats`: what each region keeps of a site's heartbeats, as a file that `replay` reads. */
import type { Command } from 'commander';
import type { BeatHistoryJson } from '../../api/beat-history-schemas.ts';
import { createApiClient, type ReadAnswer } from '../../api/client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import { describeSilences } from '../render/problems.ts';
import type { Session } from '../session.ts';

const REQUEST_TIMEOUT_MS = 10_000;

export const registerBeats: Register = (program, run) => {
  const beats: Command = program
    .command('beats')
    .description('The newest heartbeats of a site at each region, as lines for `tripoint replay`.')
    .argument('<service>', 'service or monitor')
    .argument('<site>', 'site of it')
    .action((service: string, site: string) =>
      run(beats, (session) => printBeats(session, service, site)),
    );
  withExamples(beats, ['tripoint beats checkout us-east-1 > beats.jsonl']);
};

async function printBeats(session: Session, service: string, site: string): Promise<ExitCode> {
  const { target } = await session.connect();
  const answers = await Promise.all(
    target.endpoints.map((endpoint) => askOne(session, { ...target, endpoint }, [service, site])),
  );
  const histories = answers.flatMap((answer) => (answer.kind === 'ok' ? [answer.value] : []));
  const [failure] = answers.filter((answer) => answer.kind !== 'ok');
  if (histories.length === 0 && failure !== undefined) {
    return session.refused(failure);
  }
  for (const answer of answers) {
    if (answer.kind === 'unreachable') {
      session.message([session.messageStyle(describeSilences(answer.silences), 'warning')]);
    }
  }
  session.result({ histories }, () => histories.flatMap(linesOf));
  session.suggest({
    command: 'tripoint replay beats.jsonl',
    why: 'once the lines are in that file',
  });
  return EXIT.ok;
}

/** Each region tells its own, so each is asked by itself. */
function askOne(
  { host }: Session,
  target: { readonly endpoint: string; readonly token: string | null },
  [service, site]: readonly [string, string],
): Promise<ReadAnswer<BeatHistoryJson>> {
  const client = createApiClient({
    endpoints: [target.endpoint],
    token: target.token,
    timeoutMs: REQUEST_TIMEOUT_MS,
    random: host.random,
    newKey: host.randomId,
  });
  return client.beats(service, site);
}

/** Backwards from the newest beat, whose instant and sequence are known. */
function linesOf({
  service,
  site,
  observer,
  bootId,
  lastSequence,
  lastBeatAt,
  intervalsMs,
}: BeatHistoryJson): readonly string[] {
  if (bootId === null || lastSequence === null || lastBeatAt === null) {
    return [];
  }
  let arrivedAt = Date.parse(lastBeatAt);
  const arrivals = [arrivedAt];
  for (const intervalMs of intervalsMs.toReversed()) {
    arrivedAt -= intervalMs;
    arrivals.push(arrivedAt);
  }
  return arrivals
    .flatMap((instant, age) => {
      const sequence = lastSequence - age;
      const beat = { service, site, observer, sequence, bootId, arrivedAt: instant };
      return sequence < 0 ? [] : [JSON.stringify(beat)];
    })
    .toReversed();
}
