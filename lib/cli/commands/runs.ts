/** `tripoint runs`: failovers and failbacks, with where their time went. */
import type { Command } from 'commander';
import type { ApiClient } from '../../api/client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import { nextAfterRun } from '../render/next.ts';
import { renderRun, renderRuns } from '../render/runs.ts';
import type { Session } from '../session.ts';

export const registerRuns: Register = (program, run) => {
  const runs: Command = program
    .command('runs')
    .description('Runs, newest first; or one run with its steps and stages.')
    .argument('[id]', 'run to show in full')
    .action((id: string | undefined) => run(runs, (session) => showRuns(session, id)));
  withExamples(runs, ['tripoint runs', 'tripoint runs checkout-42']);
};

async function showRuns(session: Session, id: string | undefined): Promise<ExitCode> {
  const { client } = await session.connect();
  return id === undefined ? listRuns(session, client) : showRun(session, client, id);
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
