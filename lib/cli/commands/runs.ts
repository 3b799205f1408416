/** `tripoint runs`: failovers and failbacks, with where their time went. */
import type { Command } from 'commander';
import type { ApiClient } from '../../api/client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import { nextAfterRun } from '../render/next.ts';
import { renderRun, renderRuns } from '../render/runs.ts';
import type { Session } from '../session.ts';

interface RunsOptions {
  readonly report?: boolean;
}

export const registerRuns: Register = (program, run) => {
  const runs: Command = program
    .command('runs')
    .description('Runs, newest first; or one run with its steps and stages.')
    .argument('[id]', 'run to show in full')
    .option('--report', 'the report of an ended run, as Markdown (with --json as JSON)')
    .action((id: string | undefined, options: RunsOptions) =>
      run(runs, (session) => showRuns(session, { id, options, command: runs })),
    );
  withExamples(runs, [
    'tripoint runs',
    'tripoint runs checkout-42',
    'tripoint runs checkout-42 --report',
  ]);
};

interface Asked {
  readonly id: string | undefined;
  readonly options: RunsOptions;
  readonly command: Command;
}

async function showRuns(session: Session, { id, options, command }: Asked): Promise<ExitCode> {
  if (id === undefined && options.report === true) {
    command.error('error: --report needs the id of a run');
  }
  const { client } = await session.connect();
  if (id === undefined) {
    return listRuns(session, client);
  }
  return options.report === true ? showReport(session, client, id) : showRun(session, client, id);
}

async function listRuns(session: Session, client: ApiClient): Promise<ExitCode> {
  const answer = await client.runs();
  if (answer.kind !== 'ok') {
    return session.refused(answer);
  }
  const { runs } = answer.value;
  session.result(answer.value, () => renderRuns(runs, session.style));
  const [latest] = runs;
  session.suggest(
    latest === undefined
      ? null
      : { command: `tripoint runs ${latest.run}`, why: 'shows the latest in full' },
  );
  return EXIT.ok;
}

async function showRun(session: Session, client: ApiClient, id: string): Promise<ExitCode> {
  const answer = await client.run(id);
  if (answer.kind !== 'ok') {
    return session.refused(answer);
  }
  session.result(answer.value, () => renderRun(answer.value, session.style));
  session.suggest(nextAfterRun(answer.value));
  return EXIT.ok;
}

async function showReport(session: Session, client: ApiClient, id: string): Promise<ExitCode> {
  const answer = await client.report(id, session.options.json ? 'json' : 'markdown');
  if (answer.kind !== 'ok') {
    return session.refused(answer);
  }
  session.raw(answer.value);
  return EXIT.ok;
}
