/** Narrows the answer to a dry run; the API promises that it is one. */
import type { CommandAnswer, ReadAnswer } from '../api/client.ts';
import type { DryRunJson } from '../api/schemas.ts';
import { AppError } from '../base/errors.ts';

type Unanswered = Exclude<CommandAnswer, { kind: 'ok' }>;

/** @throws AppError `not-a-dry-run` when a region did what it was only asked about. */
export function asDryRun(answer: CommandAnswer): ReadAnswer<DryRunJson> | Unanswered {
  if (answer.kind !== 'ok') {
    return answer;
  }
  const { value, endpoint } = answer;
  if (!value.dryRun) {
    throw new AppError(`${endpoint} took a dry run for a command: entry ${value.index}`, {
      code: 'not-a-dry-run',
      hint: '`tripoint log` shows what was done. Do not use --dry-run with this region.',
      retryable: false,
    });
  }
  return { kind: 'ok', value, endpoint };
}
