/** Follows a run on the screen until it ends, and sums it up. */
import type { ApiClient } from '../../api/client.ts';
import type { RunJson } from '../../api/schemas.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { followRun } from '../follow-run.ts';
import { nextAfterRun } from '../render/next.ts';
import { renderProgress, renderRun } from '../render/runs.ts';
import type { Session } from '../session.ts';

export async function awaitRun(
  session: Session,
  client: ApiClient,
  { id, timeoutMs }: { readonly id: string; readonly timeoutMs: number },
): Promise<ExitCode> {
  const tell = (before: RunJson | null, after: RunJson) =>
    session.message(renderProgress(before, after, session.messageStyle));
  const followed = await followRun({ client, host: session.host, id, timeoutMs, onChange: tell });
  switch (followed.kind) {
    case 'ended': {
      const { run } = followed;
      session.message(['']);
      session.result({ run }, () => renderRun(run, session.style));
      session.suggest(nextAfterRun(run));
      return run.outcome.kind === 'done' ? EXIT.ok : EXIT.error;
    }
    case 'timed-out':
      return session.failed(stillOpen(id, followed.detail), EXIT.unknown);
    case 'interrupted':
      return session.failed(stillOpen(id, 'interrupted'), EXIT.interrupted);
  }
}

function stillOpen(id: string, detail: string) {
  return {
    code: 'run-not-awaited',
    message: `the wait for run ${id} ended before the run did: ${detail}`,
    hint: `It goes on without this command: \`tripoint runs ${id}\` shows it.`,
    run: id,
  };
}
