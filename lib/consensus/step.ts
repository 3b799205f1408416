/**
 * `step(server, message)`: textbook Raft for one register. Pure, total, idempotent.
 *
 * The caller writes the returned server by compare-and-set before it believes the reply: nothing
 * counts before it is persisted. When the returned server is the very object that went in, nothing
 * needs writing, and the reply counts only if that server came from a strongly consistent read.
 *
 * Idempotent: the same message a second time gives the same reply and no further change, so an
 * unknown outcome is settled by reading and stepping again.
 *
 * Departures from the paper stand in `docs/raft.md`. Two matter here: a refused vote does not raise
 * the term (candidates learn terms from what they read), and an append never shortens a log unless
 * an entry conflicts (paper figure 2, AppendEntries rule 3, taken to the letter).
 */
import { type LogIndex, logIndex, type Term } from '../base/identifiers.ts';
import { assertNever, invariant } from '../base/invariant.ts';
import { decidersOf, isSameConfiguration, isStep, type MemberId } from './membership.ts';
import type { Message, Refusal, Reply } from './messages.ts';
import {
  type Base,
  type Command,
  checkServer,
  compareLogs,
  configurationAt,
  configurationIndex,
  configurationOf,
  type Entry,
  isLeader,
  lastEntry,
  memberOf,
  type Server,
  termAt,
} from './server.ts';

export interface StepResult {
  readonly server: Server;
  readonly reply: Reply;
}

type MessageOf<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

export function step(server: Server, message: Message): StepResult {
  const result = dispatch(server, message);
  if (result.server !== server) {
    checkServer(result.server);
    checkTransition(server, result.server);
  }
  return result;
}

function dispatch(server: Server, message: Message): StepResult {
  switch (message.kind) {
    case 'campaign':
      return campaign(server, message);
    case 'vote':
      return vote(server, message);
    case 'lead':
      return lead(server, message);
    case 'propose':
      return propose(server, message);
    case 'change':
      return change(server, message);
    case 'append':
      return append(server, message);
    case 'install':
      return install(server, message);
    case 'compact':
      return compact(server, message);
    default:
      return assertNever(message);
  }
}

/** Whatever the message: terms, commits and bases only rise, and one term has one vote. */
function checkTransition(before: Server, after: Server): void {
  invariant(after.term >= before.term, 'term-fell', { before: before.term, after: after.term });
  invariant(after.commitIndex >= before.commitIndex, 'commit-fell');
  invariant(after.base.index >= before.base.index, 'base-fell');
  invariant(
    after.term > before.term || before.votedFor === null || after.votedFor === before.votedFor,
    'second-vote-in-term',
    { term: after.term },
  );
}

// ── Roles: the only three places where term, vote and leadership change ──────────────────────────

function becomeCandidate(server: Server, term: Term): Server {
  return { ...server, term, votedFor: memberOf(server), leaderOf: NOT_LEADING };
}

function becomeFollower(server: Server, term: Term, votedFor: MemberId): Server {
  return { ...server, term, votedFor, leaderOf: NOT_LEADING };
}

function becomeLeader(server: Server): Server {
  return { ...withEntries(server, [{ command: null }]), leaderOf: server.term };
}

// ── Elections (paper section 5.2, 5.4.1) ─────────────────────────────────────────────────────────

function campaign(server: Server, { term }: MessageOf<'campaign'>): StepResult {
  const self = memberOf(server);
  if (server.term === term && server.votedFor === self) {
    return yes(server);
  }
  if (!decidersOf(configurationOf(server)).includes(self)) {
    return no(server, 'not-a-voter');
  }
  return server.term < term ? yes(becomeCandidate(server, term)) : no(server, 'term-moved-on');
}

function vote(server: Server, { term, candidate, last }: MessageOf<'vote'>): StepResult {
  if (server.term === term && server.votedFor === candidate) {
    return yes(server);
  }
  if (server.term > term) {
    return no(server, 'term-moved-on');
  }
  if (server.term === term && server.votedFor !== null) {
    return no(server, 'voted-for-another');
  }
  return compareLogs(last, lastEntry(server)) >= 0
    ? yes(becomeFollower(server, term, candidate))
    : no(server, 'log-behind');
}

function lead(server: Server, { term }: MessageOf<'lead'>): StepResult {
  if (server.term > term) {
    return no(server, 'term-moved-on');
  }
  if (server.term < term || server.votedFor !== memberOf(server)) {
    return no(server, 'not-candidate');
  }
  return isLeader(server) ? yes(server) : yes(becomeLeader(server));
}

// ── The leader's log (paper section 5.3) ─────────────────────────────────────────────────────────

function propose(server: Server, message: MessageOf<'propose'>): StepResult {
  const { term, commands, commit } = message;
  if (server.term > term) {
    return no(server, 'term-moved-on');
  }
  if (server.term < term || !isLeader(server)) {
    return no(server, 'not-leader');
  }
  const missing = absentFrom(server, commands);
  if (missing.length === 0) {
    return yes(server);
  }
  const next = withEntries(
    server,
    missing.map((command) => ({ command })),
  );
  return termAt(next, commit.index) === commit.term ? raiseCommitTo(next, commit.index) : yes(next);
}

/** Looks for few commands in a long log: the set is of the few. */
function absentFrom({ entries }: Server, commands: readonly Command[]): readonly Command[] {
  const absent = new Set(commands.map(({ id }) => id));
  for (const { command } of entries) {
    if (command !== null) {
      absent.delete(command.id);
    }
  }
  return commands.filter(({ id }) => absent.has(id));
}

/**
 * Who votes is changed only from a configuration that is committed: an uncommitted one may be gone
 * tomorrow, and two changes that do not know of each other could elect two leaders. A leader does not
 * vote itself away: it hands over first (`leadership.ts`).
 */
function change(server: Server, message: MessageOf<'change'>): StepResult {
  const { term, configuration, commit } = message;
  if (server.term > term) {
    return no(server, 'term-moved-on');
  }
  if (server.term < term || !isLeader(server)) {
    return no(server, 'not-leader');
  }
  const current = configurationOf(server);
  if (isSameConfiguration(current, configuration)) {
    return yes(server);
  }
  const isCommitted =
    commit.index >= configurationIndex(server) && termAt(server, commit.index) === commit.term;
  if (!isCommitted) {
    return no(server, 'change-under-way');
  }
  const isSound = isStep(current, configuration) && configuration.voters.includes(memberOf(server));
  return isSound
    ? yes(withEntries(server, [{ command: null, configuration }]))
    : no(server, 'not-a-step');
}

// ── A follower's log (paper section 5.3) ─────────────────────────────────────────────────────────

function append(server: Server, message: MessageOf<'append'>): StepResult {
  const follower = accept(server, message);
  if (follower === null) {
    return no(server, 'term-moved-on');
  }
  const { previous, entries } = trimmedToBase(message, follower.base);
  if (termAt(follower, previous.index) !== previous.term) {
    return no(server, 'previous-missing');
  }
  const log = merged(follower, previous.index, entries);
  const end = entries.at(-1) ?? previous;
  const commitIndex = Math.min(message.commitIndex, end.index);
  const next = log === follower.entries ? follower : { ...follower, entries: log };
  return raiseCommitTo(next, logIndex(commitIndex));
}

/** The server in the leader's term, following it; null when the term has moved on. */
function accept(server: Server, { term, leader }: { term: Term; leader: MemberId }): Server | null {
  if (server.term > term) {
    return null;
  }
  if (server.term === term) {
    invariant(!isLeader(server), 'two-leaders-in-one-term', { term, leader });
    // The vote of this term may be for a candidate that lost, or for nobody: it stays.
    return server;
  }
  // Adopting the leader as vote makes a second vote in its term impossible.
  return becomeFollower(server, term, leader);
}

/** Entries that the base covers are committed and equal by Leader Completeness: skip them. */
function trimmedToBase(
  { previous, entries }: MessageOf<'append'>,
  base: Base,
): Pick<MessageOf<'append'>, 'previous' | 'entries'> {
  const covered = base.index - previous.index;
  if (covered <= 0) {
    return { previous, entries };
  }
  const atBase = entries[covered - 1];
  invariant(
    atBase === undefined || atBase.term === base.term,
    'leader-lacks-committed-entry',
    base,
  );
  return { previous: base, entries: entries.slice(covered) };
}

/** The log with `entries` after `after`: kept where equal, cut only where an entry conflicts. */
function merged(server: Server, after: LogIndex, entries: readonly Entry[]): readonly Entry[] {
  const offset = after - server.base.index;
  const differs = entries.findIndex((entry, i) => server.entries[offset + i]?.term !== entry.term);
  if (differs === -1) {
    return server.entries;
  }
  invariant(server.commitIndex <= after + differs, 'truncating-committed-entries', {
    commitIndex: server.commitIndex,
    at: after + differs + 1,
  });
  return [...server.entries.slice(0, offset + differs), ...entries.slice(differs)];
}

// ── Snapshots (paper section 7) ──────────────────────────────────────────────────────────────────

function install(server: Server, message: MessageOf<'install'>): StepResult {
  const { term, leader, base, configuration } = message;
  const follower = accept(server, { term, leader });
  if (follower === null) {
    return no(server, 'term-moved-on');
  }
  if (follower.base.index >= base.index) {
    return yes(follower);
  }
  const matches = termAt(follower, base.index) === base.term;
  const entries = matches ? follower.entries.slice(base.index - follower.base.index) : [];
  const commitIndex = logIndex(Math.max(follower.commitIndex, base.index));
  invariant(
    matches || follower.commitIndex <= base.index,
    'snapshot-drops-committed-entries',
    base,
  );
  return yes({ ...follower, base, baseConfiguration: configuration, entries, commitIndex });
}

function compact(server: Server, { base }: MessageOf<'compact'>): StepResult {
  if (server.base.index >= base.index) {
    return yes(server);
  }
  if (termAt(server, base.index) !== base.term) {
    return no(server, 'not-in-log');
  }
  const baseConfiguration = configurationAt(server, base.index);
  const entries = server.entries.slice(base.index - server.base.index);
  const commitIndex = logIndex(Math.max(server.commitIndex, base.index));
  return yes({ ...server, base, baseConfiguration, entries, commitIndex });
}

function raiseCommitTo(server: Server, commitIndex: LogIndex): StepResult {
  return commitIndex > server.commitIndex ? yes({ ...server, commitIndex }) : yes(server);
}

// ── Small parts ──────────────────────────────────────────────────────────────────────────────────

const NOT_LEADING = 0 as Term;

/** Appends entries of the current term. */
function withEntries(
  server: Server,
  contents: readonly Pick<Entry, 'command' | 'configuration'>[],
): Server {
  const start = lastEntry(server).index + 1;
  const entries = contents.map((content, i) => ({
    index: logIndex(start + i),
    term: server.term,
    ...content,
  }));
  return { ...server, entries: [...server.entries, ...entries] };
}

function yes(server: Server): StepResult {
  return { server, reply: { kind: 'yes' } };
}

function no(server: Server, reason: Refusal): StepResult {
  return { server, reply: { kind: 'no', reason } };
}
