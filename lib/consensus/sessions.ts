/**
 * The sessions: what became of each command id of late, so that a retried command is harmless.
 *
 * A value that changes with every entry and is 2,048 entries long must not be copied for each batch.
 * So it is kept in generations, one for each run of indexes: a batch adds to the youngest and takes
 * from the oldest, and all between are shared with the value before.
 *
 * Invariant: the same sessions give the same generations, however they came about. A replica that
 * was restored from a snapshot equals one that applied every entry itself.
 */
import type { CommandId, LogIndex, Term } from '../base/identifiers.ts';
import type { JsonValue } from '../base/json.ts';

/** What became of one command id. */
export interface Session {
  readonly index: LogIndex;
  readonly term: Term;
  /** Hash of the command's body: the same id with another body is a caller's error. */
  readonly digest: string;
  readonly result: JsonValue;
}

/** By the command's index, oldest first; none is empty. */
export type Sessions = readonly Generation[];

interface Generation {
  /** Holds the sessions with index from `number * GENERATION_ENTRIES` on. */
  readonly number: number;
  readonly sessions: ReadonlyMap<CommandId, Session>;
}

/** A batch copies at most two of these, a look-up asks at most 2,048 / 128 + 1 of them. */
const GENERATION_ENTRIES = 128;

export const NO_SESSIONS: Sessions = [];

export function sessionOf(sessions: Sessions, id: CommandId): Session | null {
  for (let place = sessions.length - 1; place >= 0; place -= 1) {
    const session = sessions[place]?.sessions.get(id);
    if (session !== undefined) {
      return session;
    }
  }
  return null;
}

/** Oldest first: the order of the log. */
export function listSessions(sessions: Sessions): readonly (readonly [CommandId, Session])[] {
  return sessions.flatMap((generation) => [...generation.sessions]);
}

/** Those with an index of `oldest` or more; and `added`, in the order of the log, after them. */
export function remember(
  sessions: Sessions,
  added: Iterable<readonly [CommandId, Session]>,
  oldest: number,
): Sessions {
  const generations = [...forgetBelow(sessions, oldest)];
  const alive = [...added].filter(([, { index }]) => index >= oldest);
  for (const [number, list] of Map.groupBy(alive, ([, { index }]) => generationOf(index))) {
    const youngest = generations.at(-1)?.number === number ? generations.pop() : undefined;
    generations.push({ number, sessions: new Map([...(youngest?.sessions ?? []), ...list]) });
  }
  return generations;
}

function forgetBelow(sessions: Sessions, oldest: number): Sessions {
  const number = generationOf(oldest);
  const kept = sessions.filter((generation) => generation.number >= number);
  const [first, ...rest] = kept;
  if (first === undefined || first.number > number) {
    return kept;
  }
  const alive = [...first.sessions].filter(([, { index }]) => index >= oldest);
  return alive.length === 0 ? rest : [{ number, sessions: new Map(alive) }, ...rest];
}

function generationOf(index: number): number {
  return Math.floor(index / GENERATION_ENTRIES);
}
