/**
 * The histories of many lives in one file of JSON lines (`lib/simulation/history.ts`), so that an
 * independent checker can judge them all at once.
 *
 * The lives know nothing of each other: each has keys and clients of its own, named after its seed.
 * All begin at time 0, which costs nothing, since linearizability is judged key by key.
 */
import { appendFileSync } from 'node:fs';
import { type HistoryOperation, historyLine } from '../../lib/simulation/history.ts';

/** More than any life has. */
const CLIENTS_MAX = 1000;

/** One call adds one life, at once, so that threads do not mix their lines. */
export function appendHistory(
  file: string,
  seed: number,
  history: readonly HistoryOperation[],
): void {
  const lines = history.map((operation) => `${historyLine(operationOf(seed, operation))}\n`);
  appendFileSync(file, lines.join(''));
}

function operationOf(seed: number, { client, op, ...rest }: HistoryOperation): HistoryOperation {
  const key = `${seed}/${op.key}`;
  return { ...rest, client: seed * CLIENTS_MAX + client, op: { ...op, key } };
}
