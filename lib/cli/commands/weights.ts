/** `tripoint weights`: the shares of an active-active service, by a run that watches them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { setWeights, type Weights } from '../../api/recovery-client.ts';
import { sharesText } from '../../recovery/traffic.ts';
import { actor, durationArgument, reasonArgument } from '../arguments.ts';
import { isConfirmed } from '../confirm.ts';
import { asDryRun } from '../dry-run.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import { runAimLines, runStageLines } from '../render/recovery.ts';
import { sendOnce } from '../send.ts';
import type { Session } from '../session.ts';
import { awaitRun } from './await-run.ts';

const WAIT_MS_DEFAULT = 120_000;

interface Options {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  /** false = `--no-wait`. */
  readonly wait: boolean;
  readonly timeout: number;
}

export const registerWeights: Register = (program, run) => {
  const weights: Command = program
    .command('weights')
    .description('Change the shares of the sites of an active-active service.')
    .argument('<service>', 'service with the strategy active-active')
    .argument('<site=percent...>', 'shares of sites; the rest have none; together 100', share)
    .requiredOption('-r, --reason <text>', 'why, for the record', reasonArgument)
    .option('-n, --dry-run', 'show what would be decided and changed, and change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--no-wait', 'return as soon as the run has begun')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the end of the run')
        .argParser(durationArgument)
        .default(WAIT_MS_DEFAULT, '2m'),
    )
    .action((service: string, shares: Weights, options: Options) =>
      run(weights, (session) => change(session, { service, weights: shares }, options)),
    );
  withExamples(weights, [
    'tripoint weights catalog us-east-1=50 us-west-2=50 --reason "new hardware" --dry-run',
  ]);
};

function share(text: string, before: Weights = {}): Weights {
  const [, site = '', percent = ''] = /^([a-z][a-z0-9-]{0,62})=(\d{1,3})%?$/.exec(text) ?? [];
  if (site === '' || Number(percent) > 100 || Object.hasOwn(before, site)) {
    throw new InvalidArgumentError('Write each site once with its per cent, e.g. us-east-1=50.');
  }
  return { ...before, [site]: Number(percent) };
}

interface Asked {
  readonly service: string;
  readonly weights: Weights;
}

async function change(session: Session, asked: Asked, options: Options): Promise<ExitCode> {
  const { client } = await session.connect();
  const words = { ...asked, reason: options.reason, by: actor() };
  const tried = asDryRun(await setWeights(client, { ...words, dryRun: true }));
  if (tried.kind !== 'ok') {
    return session.refused(tried);
  }
  const { wouldBe, code, sentence, plan } = tried.value;
  const lines = (style: Session['style']) => [
    `${style(`shares of ${asked.service}`, 'strong')}: ${style(sharesText(asked.weights), 'strong')}`,
    `  would be ${wouldBe}: ${style(`${code}: ${sentence}`, 'plain')}`,
    ...runAimLines(plan, style),
    ...runStageLines(plan, style),
  ];
  if (options.dryRun === true) {
    session.result(tried.value, () => lines(session.style));
    return wouldBe === 'accepted' ? EXIT.ok : EXIT.refused;
  }
  if (wouldBe === 'refused') {
    const hint = 'docs/failure-modes.md explains the code.';
    return session.failed({ code, message: sentence, hint }, EXIT.refused);
  }
  const agreed = await isConfirmed(session, {
    document: { weights: asked.weights, plan },
    lines,
    question: `Change the shares of ${asked.service} now?`,
    yes: options.yes === true,
  });
  if (!agreed) {
    return EXIT.usage;
  }
  const sent = await sendOnce(session.host, (key) => setWeights(client, words, key));
  if (sent.kind !== 'accepted') {
    return session.refused(sent);
  }
  const { run, index } = sent.value;
  session.message([
    `accepted: ${session.messageStyle(sent.value.sentence, 'plain')} (entry ${index})`,
  ]);
  if (run !== undefined && options.wait) {
    return awaitRun(session, client, { id: run, timeoutMs: options.timeout });
  }
  session.result({ accepted: sent.value, run: null }, () => (run === undefined ? [] : [run]));
  return EXIT.ok;
}
