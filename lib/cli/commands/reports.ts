/**
 * `tripoint reports`: the evidence of runs that ended; and `tripoint report verify`, which needs no
 * region and no network: a report is checked where it lies, by anybody.
 */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { AppError } from '../../base/errors.ts';
import { sha256 } from '../../config/token-hashing.ts';
import { checkReport, type ReportCheck } from '../../control/report-check.ts';
import { type ReportReplay, replayReport } from '../../control/report-replay.ts';
import { reportMarkdown } from '../../recovery/report-text.ts';
import { findPlaces } from '../archive-places.ts';
import { collect, wholeNumber } from '../arguments.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { fileFailure } from '../file-failure.ts';
import { type Register, type Run, withExamples } from '../invocation.ts';
import { renderReports, renderVerdict, type Verification, verdictOf } from '../render/reports.ts';
import type { Session } from '../session.ts';

interface VerifyOptions {
  readonly log?: readonly string[];
  readonly markdown?: string;
}

interface ListOptions {
  readonly limit: number;
  readonly markdown?: boolean;
}

const REPORTS_DEFAULT = 20;
const REPORTS_MAX = 500;

export const registerReports: Register = (program, run) => {
  registerList(program, run);
  const report = program
    .command('report')
    .description('The evidence report of a run, as a file.')
    .helpCommand(false);
  const verify: Command = report
    .command('verify')
    .description('Check a report: unchanged, borne out by its entries, and with --log by the log.')
    .argument('<file>', 'report-<run>.json')
    .option('--log <path>', 'exported log, or folder that holds log/; may be repeated', collect)
    .option('--markdown <file>', 'report-<run>.md, which must be made of the same report')
    .action((file: string, options: VerifyOptions) =>
      run(verify, (session) => verifyReport(session, file, options)),
    );
  withExamples(report, ['tripoint report verify report-checkout-42.json']);
  withExamples(verify, [
    'tripoint report verify report-checkout-42.json',
    'tripoint report verify report-checkout-42.json --log audit.jsonl',
  ]);
};

function registerList(program: Command, run: Run): void {
  const reports: Command = program
    .command('reports')
    .description('Reports of runs that ended, newest first; or one of them.')
    .argument('[run]', 'run whose report to print, as JSON')
    .option('--markdown', 'print it for people')
    .option('--limit <n>', 'how many', wholeNumber(1, REPORTS_MAX), REPORTS_DEFAULT)
    .action((id: string | undefined, options: ListOptions) =>
      run(reports, (session) =>
        id === undefined ? listReports(session, options) : showReport(session, id, options),
      ),
    );
  withExamples(reports, [
    'tripoint reports',
    'tripoint reports checkout-42 > report-checkout-42.json',
  ]);
}

async function listReports(session: Session, { limit }: ListOptions): Promise<ExitCode> {
  const { client } = await session.connect();
  const answer = await client.reports(limit);
  if (answer.kind !== 'ok') {
    return session.refused(answer);
  }
  session.result(answer.value, () => renderReports(answer.value.reports, session.style));
  const [latest] = answer.value.reports;
  session.suggest(
    latest === undefined
      ? null
      : { command: `tripoint reports ${latest.run} --markdown`, why: 'shows the latest' },
  );
  return EXIT.ok;
}

/** As it was written, byte for byte, so that what is saved can be verified. */
async function showReport(session: Session, id: string, options: ListOptions): Promise<ExitCode> {
  const { client } = await session.connect();
  const answer = await client.report(id, options.markdown === true ? 'markdown' : 'json');
  if (answer.kind !== 'ok') {
    return session.refused(answer);
  }
  session.raw(answer.value);
  return EXIT.ok;
}

/** Exit code 0 only where nothing is wrong and nothing that was asked for is missing. */
async function verifyReport(
  session: Session,
  file: string,
  { log = [], markdown }: VerifyOptions,
): Promise<ExitCode> {
  const check = checkReport(await readText(file), sha256);
  const replay = await replayed(check, log);
  const text = markdown === undefined ? null : await readText(markdown);
  const verification: Verification = {
    file,
    check,
    replay,
    isMarkdownSame:
      text === null || check.report === null ? null : reportMarkdown(check.report) === text,
  };
  const verdict = verdictOf(verification);
  session.result(verdict, () => renderVerdict(verdict, session.style));
  return verdict.outcome === 'intact' ? EXIT.ok : EXIT.error;
}

async function replayed(
  { report }: ReportCheck,
  paths: readonly string[],
): Promise<ReportReplay | null> {
  if (report === null || paths.length === 0) {
    return null;
  }
  const { places } = await findPlaces({ paths, buckets: [], dir: '' });
  return replayReport(report, places, sha256);
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    // A byte order mark, or bytes that are no text, are a change like any other.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof TypeError && !('syscall' in cause)) {
      return '';
    }
    throw new AppError(fileFailure(path, cause), {
      code: 'report-unreadable',
      hint: 'Save a report with `tripoint reports <run> > report.json`, and name that file.',
      retryable: false,
      cause,
    });
  }
}
