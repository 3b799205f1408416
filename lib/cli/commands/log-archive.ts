/**
 * `tripoint log verify`, `show` and `export`: the archived log, read where it lies. No region needs to
 * answer, and nothing is asked of one.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { presentLog, presentRuns, presentServices } from '../../api/present.ts';
import type { RegionId } from '../../base/identifiers.ts';
import { invariant } from '../../base/invariant.ts';
import { sha256 } from '../../config/token-hashing.ts';
import { auditLog, type LogAudit } from '../../control/log-audit.ts';
import { type StateAt, stateAt } from '../../control/log-replay.ts';
import type { Anchor } from '../../control/log-sweep.ts';
import { type ArchivePlaces, type BucketName, findPlaces, parseBucket } from '../archive-places.ts';
import { collect, foundingRegions, wholeNumber } from '../arguments.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { exportLog } from '../export-log.ts';
import { type Run, withExamples } from '../invocation.ts';
import { describeFinding, renderAudit } from '../render/log-audit.ts';
import { renderStateAt } from '../render/log-state.ts';
import type { Failure } from '../render/problems.ts';
import type { Session } from '../session.ts';

interface ArchiveOptions {
  readonly archive?: readonly string[];
  readonly bucket?: readonly BucketName[];
}

interface VerifyOptions extends ArchiveOptions {
  readonly link?: readonly Anchor[];
}

interface ShowOptions extends ArchiveOptions {
  readonly at: number;
  readonly founders?: readonly RegionId[];
}

export function registerLogArchive(log: Command, run: Run): void {
  registerVerify(log, run);
  registerShow(log, run);
  registerExport(log, run);
}

function registerVerify(log: Command, run: Run): void {
  const verify = withArchive(log.command('verify'))
    .description('Check the hash chain of the archived log. Needs no region that answers.')
    .argument('[paths...]', 'the same as --archive')
    .option('--link <index:hash>', 'a link that was kept elsewhere; may be repeated', collectLink)
    .action((paths: readonly string[], options: VerifyOptions) =>
      run(verify, (session) => verifyLog(session, paths, options)),
    );
  withExamples(verify, [
    'tripoint log verify',
    'tripoint log verify audit.jsonl',
    'tripoint log verify --bucket us-east-1=tripoint-123456789012-us-east-1',
  ]);
}

function registerShow(log: Command, run: Run): void {
  const show = withArchive(log.command('show'))
    .description('The state as it was after an entry, replayed from the archived log.')
    .requiredOption('--at <index>', 'the entry', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--founders <list>', 'regions that the cluster was made with', foundingRegions)
    .action((options: ShowOptions) => run(show, (session) => showStateAt(session, options)));
  withExamples(show, ['tripoint log show --at 57', 'tripoint log show --at 57 --json']);
}

function registerExport(log: Command, run: Run): void {
  const write = withArchive(log.command('export'))
    .description('Write the archived log into one file, for `log verify` anywhere.')
    .argument('<file>', 'file to be made')
    .action((file: string, options: ArchiveOptions) =>
      run(write, (session) => writeLog(session, file, options)),
    );
  withExamples(write, ['tripoint log export audit.jsonl']);
}

function withArchive(command: Command): Command {
  return command
    .option(
      '--archive <path>',
      'folder that holds log/, or exported file; may be repeated',
      collect,
    )
    .option('--bucket <region=name>', 'S3 bucket of a region; may be repeated', collectBucket);
}

async function placesOf(
  { options: { dir } }: Session,
  { archive = [], bucket = [] }: ArchiveOptions,
): Promise<ArchivePlaces> {
  return findPlaces({ paths: archive, buckets: bucket, dir });
}

async function verifyLog(
  session: Session,
  paths: readonly string[],
  options: VerifyOptions,
): Promise<ExitCode> {
  const archive = [...paths, ...(options.archive ?? [])];
  const { places } = await placesOf(session, { ...options, archive });
  const audit = await auditLog(places, { sha256, known: options.link ?? [] });
  if (audit.outcome === 'empty') {
    return session.failed(EMPTY);
  }
  session.result(documentOf(audit), () => renderAudit(audit, session.style));
  return audit.outcome === 'intact' ? EXIT.ok : EXIT.error;
}

function documentOf({ checked: _, ...audit }: LogAudit): object {
  return audit;
}

async function showStateAt(session: Session, options: ShowOptions): Promise<ExitCode> {
  const { places, founders } = await placesOf(session, options);
  const index = options.at;
  const outcome = await stateAt(places, {
    index,
    founders: options.founders ?? founders,
    sha256,
  });
  if (outcome.kind !== 'found') {
    return session.failed(failureOf(outcome, index));
  }
  const { entry, replica, replayedAfter } = outcome;
  const { state } = replica;
  const [shown] = presentLog([entry], { after: index - 1, appliedIndex: index }).entries;
  invariant(shown !== undefined, 'entry-not-presented', { index });
  const document = {
    index,
    term: entry.term,
    chain: entry.chain,
    replayedAfter,
    entry: shown,
    observers: state.observers,
    configHash: state.configHash,
    services: presentServices({ state, observations: [] }),
    runs: presentRuns(state),
    timeline: state.timeline.toReversed(),
  };
  session.result(document, () => renderStateAt(document, session.style));
  return EXIT.ok;
}

async function writeLog(
  session: Session,
  file: string,
  options: ArchiveOptions,
): Promise<ExitCode> {
  const { places } = await placesOf(session, options);
  const exported = await exportLog(file, places);
  if (exported === null) {
    return session.failed(EMPTY);
  }
  const { last, chain } = exported;
  session.result({ file, ...exported }, () => [
    `entries 1 to ${last} are in ${file}`,
    `link ${last}:${chain}`,
  ]);
  session.suggest({ command: `tripoint log verify ${file}`, why: 'checks it, on any machine' });
  return EXIT.ok;
}

const EMPTY: Failure = {
  code: 'archive-empty',
  message: 'no entry is archived',
  hint: 'A region archives a hundred entries at a time. `tripoint log` shows those that it still holds.',
};

function failureOf(outcome: Exclude<StateAt, { readonly kind: 'found' }>, index: number): Failure {
  switch (outcome.kind) {
    case 'empty':
      return EMPTY;
    case 'silent':
      return {
        code: 'archive-silent',
        message: outcome.silent.map(({ name, cause }) => `${name}: ${cause}`).join('; '),
        hint: 'Check the names and your permission to list and read the objects.',
      };
    case 'founders-unknown':
      return {
        code: 'founders-unknown',
        message:
          'the replay begins with the first entry, and nobody says whose verdicts count there',
        hint: 'Name the regions that the cluster was made with by --founders.',
      };
    case 'beyond':
      return {
        code: 'entry-not-archived',
        message: `the archive ends with entry ${outcome.last}, before ${index}`,
        hint: `Newer entries wait for the next segment; \`tripoint log --after ${outcome.last}\` shows them.`,
      };
    case 'before':
      return {
        code: 'entry-not-archived',
        message: `the archive begins with entry ${outcome.first}, behind ${index}`,
        hint: 'Name the archives of the other regions too: each holds what it has applied.',
      };
    case 'broken':
      return {
        code: 'log-broken',
        message: `entry ${index} cannot be reached: ${describeFinding(outcome.sweep)}`,
        hint: '`tripoint log verify` says all that is wrong, and where.',
      };
  }
}

function collectBucket(text: string, buckets: readonly BucketName[] = []): readonly BucketName[] {
  const bucket = parseBucket(text);
  if (bucket === null) {
    throw new InvalidArgumentError(
      'Write <region>=<bucket>, e.g. us-east-1=tripoint-123456789012-us-east-1.',
    );
  }
  return [...buckets, bucket];
}

function collectLink(text: string, links: readonly Anchor[] = []): readonly Anchor[] {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError('Write <index>:<64 hex digits>, as `log verify` prints it.');
  }
  const [, index = '', chain = ''] = match;
  const origin = `the link that was given for ${index}`;
  return [...links, { index: Number(index), chain, origin }];
}
