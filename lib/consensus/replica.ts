/**
 * A replica: the state machine at one point of the log, as a value.
 *
 * Applying is pure, so every region that applies the same entries holds the same replica, down to
 * the hash. Three things ride along with the machine's own state: how far it applied, the hash
 * chain over every entry so far (tampering with any past entry changes it), and the sessions that
 * make a retried command harmless.
 */
import type { CommandId, LogIndex, RegionId, Term } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { canonicalJson, type JsonValue, type Sha256 } from '../base/json.ts';
import { regionOf } from './membership.ts';
import type { Base, Command, Entry } from './server.ts';
import {
  listSessions,
  NO_SESSIONS,
  remember,
  type Session,
  type Sessions,
  sessionOf,
} from './sessions.ts';
import { LOG_LIMITS } from './settings.ts';

/** The application behind the log. Its functions are pure and total. */
export interface StateMachine<State> {
  readonly initial: State;
  readonly apply: (state: State, command: Command, at: Base) => Applied<State>;
  /** Takes up who votes from here on. Left out by a machine that does not care. */
  readonly reconfigure?: (state: State, voters: readonly RegionId[]) => State;
  /** Takes up a stored state that an older version may have written. Left out: as it was stored. */
  readonly restore?: (stored: JsonValue) => State;
}

export interface Applied<State> {
  readonly state: State;
  /** Answer to whoever proposed the command; kept for retries of its id. */
  readonly result: JsonValue;
}

export interface Replica<State> {
  readonly applied: Base;
  readonly chain: string;
  /** An id is remembered for `sessionWindowEntries` entries. */
  readonly sessions: Sessions;
  readonly state: State;
}

/** Result of a command that came so late that its id may have been forgotten: it is not applied. */
const EXPIRED: JsonValue = {
  kind: 'refused',
  code: 'command-expired',
  sentence: 'this copy of the command came so late that a first one may be forgotten; not applied',
};

/** Whether a copy came too late. Nothing follows from it about a first copy. */
export function isExpired({ result }: Session): boolean {
  return canonicalJson(result) === canonicalJson(EXPIRED);
}

/** The link before the first entry. */
export const CHAIN_START: string = '0'.repeat(64);

export function emptyReplica<State>(machine: StateMachine<State>): Replica<State> {
  return {
    applied: { index: 0 as LogIndex, term: 0 as Term },
    chain: CHAIN_START,
    sessions: NO_SESSIONS,
    state: machine.initial,
  };
}

export interface AppliedEntry {
  readonly entry: Entry;
  /** Chain after this entry. */
  readonly chain: string;
}

/** Applies committed entries in order. The first must follow the last applied one. */
export function applyEntries<State>(
  replica: Replica<State>,
  entries: readonly Entry[],
  { machine, sha256, sessionWindowEntries = LOG_LIMITS.sessionWindowEntries }: Application<State>,
): { replica: Replica<State>; applied: readonly AppliedEntry[] } {
  const fresh = new Map<CommandId, Session>();
  const applied: AppliedEntry[] = [];
  let { state, chain, applied: position } = replica;
  for (const entry of entries) {
    invariant(entry.index === position.index + 1, 'apply-out-of-order', { index: entry.index });
    chain = chainAfter(chain, entry, sha256);
    position = { index: entry.index, term: entry.term };
    if (entry.configuration !== undefined) {
      const voters = entry.configuration.voters.map(regionOf);
      state = machine.reconfigure?.(state, voters) ?? state;
    }
    const { command } = entry;
    const oldest = entry.index - sessionWindowEntries;
    if (
      command !== null &&
      !isRemembered(command.id, { fresh, before: replica.sessions }, oldest)
    ) {
      const isLate = command.basis < oldest;
      const outcome = isLate ? expired(state) : machine.apply(state, command, position);
      state = outcome.state;
      // Set anew and not only overwritten: the order is that of the log.
      fresh.delete(command.id);
      const digest = bodyDigest(command.body, sha256);
      fresh.set(command.id, { ...position, digest, result: outcome.result });
    }
    applied.push({ entry, chain });
  }
  const sessions = remember(replica.sessions, fresh, position.index - sessionWindowEntries);
  return { replica: { applied: position, chain, sessions, state }, applied };
}

interface Application<State> {
  readonly machine: StateMachine<State>;
  readonly sha256: Sha256;
  /** How many entries a command id is remembered for; equal on all replicas of a log. */
  readonly sessionWindowEntries?: number;
}

/**
 * Exactly once with bounded memory. A first copy applied at some index i lies after the command's
 * `basis`. A later copy at j is either within the window after `basis`, then i is still remembered
 * and the copy changes nothing; or it is beyond, then it is refused unseen.
 */
function isRemembered(
  id: CommandId,
  { fresh, before }: { readonly fresh: ReadonlyMap<CommandId, Session>; readonly before: Sessions },
  oldest: number,
): boolean {
  const session = fresh.get(id) ?? sessionOf(before, id);
  return session !== null && session.index >= oldest;
}

function expired<State>(state: State): Applied<State> {
  return { state, result: EXPIRED };
}

/** Hash chain: each link covers the one before and the canonical text of the entry. */
export function chainAfter(chain: string, entry: Entry, sha256: Sha256): string {
  const { index, term, command, configuration } = entry;
  const content =
    command === null ? null : { id: command.id, basis: command.basis, body: command.body };
  const change =
    configuration === undefined
      ? undefined
      : {
          voters: configuration.voters,
          outgoing: configuration.outgoing,
          learners: configuration.learners,
        };
  return sha256(
    `${chain}\n${canonicalJson({ index, term, command: content, configuration: change })}`,
  );
}

/** Without the proposer's clock: a command sent again is stamped later and is the same command. */
export function bodyDigest(body: JsonValue, sha256: Sha256): string {
  return sha256(canonicalJson(isStamped(body) ? { ...body, at: undefined } : body)).slice(0, 16);
}

function isStamped(body: JsonValue): body is { readonly at: JsonValue } {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, 'at');
}

interface SnapshotText<State> {
  readonly format: 1;
  readonly applied: Base;
  readonly chain: string;
  readonly sessions: readonly (readonly [CommandId, Session])[];
  readonly state: State;
}

export function encodeReplica<State>({ applied, chain, sessions, state }: Replica<State>): string {
  const text: SnapshotText<State> = {
    format: 1,
    applied,
    chain,
    sessions: listSessions(sessions),
    state,
  };
  return JSON.stringify(text);
}

/** Inverse of `encodeReplica`, for text that a register's table vouches for by hash. */
export function decodeReplica<State>(
  text: string,
  restore?: StateMachine<State>['restore'],
): Replica<State> {
  const snapshot = JSON.parse(text) as SnapshotText<State>;
  const { format, applied, chain, sessions } = snapshot;
  invariant(format === 1, 'snapshot-format-unknown', { format });
  const state = restore === undefined ? snapshot.state : restore(snapshot.state as JsonValue);
  return { applied, chain, sessions: remember(NO_SESSIONS, sessions, 0), state };
}
