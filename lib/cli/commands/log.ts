/** `tripoint log`: entries of the Raft log, which is everything that ever happened. */
import type { Command } from 'commander';
import type { ApiClient, ReadAnswer } from '../../api/client.ts';
import type { LogJson } from '../../api/schemas.ts';
import { childOf } from '../../config/tree.ts';
import { wholeNumber } from '../arguments.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { pause } from '../host.ts';
import { type Register, withExamples } from '../invocation.ts';
import { renderLog, renderLogTail } from '../render/log.ts';
import type { Session } from '../session.ts';
import { registerLogArchive } from './log-archive.ts';

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 500;
const POLL_MS = 500;

interface LogOptions {
  readonly after?: number;
  readonly limit: number;
  readonly follow?: boolean;
  readonly service?: string;
}

export const registerLog: Register = (program, run) => {
  const log: Command = program
    .command('log')
    .description('Entries of the log, the latest by default.')
    .helpCommand(false)
    .option('--after <index>', 'entries above this index', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option(
      '--limit <count>',
      `at most so many, 1 to ${LIMIT_MAX}`,
      wholeNumber(1, LIMIT_MAX),
      LIMIT_DEFAULT,
    )
    .option('-s, --service <name>', 'only entries about this service')
    .option('-f, --follow', 'go on with new entries, until Ctrl-C')
    .action((options: LogOptions) => run(log, (session) => showLog(session, options)));
  withExamples(log, [
    'tripoint log',
    'tripoint log --follow',
    'tripoint log --after 0 --limit 500 --json',
    'tripoint log verify',
  ]);
  registerLogArchive(log, run);
};

async function showLog(session: Session, options: LogOptions): Promise<ExitCode> {
  const { client } = await session.connect();
  const first = await firstPage(client, options);
  if (first.kind !== 'ok') {
    return session.refused(first);
  }
  const page = { ...first.value, entries: first.value.entries.filter(isAbout(options.service)) };
  if (options.follow === true) {
    return followLog(session, { client, page, options });
  }
  session.result(page, () => renderLog(page.entries, session.style));
  const isMore = page.nextAfter < page.appliedIndex;
  session.suggest(
    isMore ? { command: `tripoint log --after ${page.nextAfter}`, why: 'goes on from here' } : null,
  );
  return EXIT.ok;
}

/** Without `--after`, the latest entries; if these reach into the archive, the oldest there are. */
async function firstPage(
  client: ApiClient,
  { after, limit }: LogOptions,
): Promise<ReadAnswer<LogJson>> {
  if (after !== undefined) {
    return client.log(after, limit);
  }
  const status = await client.status();
  if (status.kind !== 'ok') {
    return status;
  }
  const latest = Math.max(0, status.value.consensus.appliedIndex - limit);
  const page = await client.log(latest, limit);
  const available = page.kind === 'problem' ? page.problem.firstAvailable : undefined;
  return available === undefined ? page : client.log(Math.max(0, available - 1), limit);
}

interface Following {
  readonly client: ApiClient;
  readonly page: LogJson;
  readonly options: LogOptions;
}

/** With `--json` one entry on each line, because a stream never becomes one document. */
async function followLog(
  session: Session,
  { client, page, options }: Following,
): Promise<ExitCode> {
  const { host, style } = session;
  const signal = host.interruption();
  const show = (entries: LogJson['entries'], lines: readonly string[]) => {
    const texts = session.options.json ? entries.map((entry) => JSON.stringify(entry)) : lines;
    host.writeOutput(texts.map((text) => `${text}\n`).join(''));
  };
  show(page.entries, renderLog(page.entries, style));
  let after = page.nextAfter;
  while (await pause(host, POLL_MS, signal)) {
    const answer = await client.log(after, LIMIT_MAX);
    if (answer.kind === 'problem' && answer.problem.status < 500) {
      return session.refused(answer);
    }
    if (answer.kind === 'ok' && answer.value.entries.length > 0) {
      const entries = answer.value.entries.filter(isAbout(options.service));
      show(entries, renderLogTail(entries, style));
      after = answer.value.nextAfter;
    }
  }
  return EXIT.interrupted;
}

/** Entries about runs name the run, and a run's name begins with that of its service. */
function isAbout(service: string | undefined) {
  return ({ body }: LogJson['entries'][number]) =>
    service === undefined ||
    childOf(body, 'service') === service ||
    String(childOf(body, 'run') ?? '').startsWith(`${service}-`);
}
