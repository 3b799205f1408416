/** Bugs in what clients are told, what is applied, and how often (paper section 8; thesis 6.3, 6.4). */
import type { Mutant } from './mutant.ts';

const HOST = 'lib/consensus/log-host.ts';
const PROPOSALS = 'lib/consensus/proposals.ts';
const REPLICA = 'lib/consensus/replica.ts';

export const HOST_MUTANTS: readonly Mutant[] = [
  {
    name: 'applies-from-the-leader-at-hand',
    file: HOST,
    find: 'await this.#applier.applyFrom(latest, commit.index);',
    replace: 'await this.#applier.applyFrom(leader, commit.index);',
    why: 'A deposed leader holds other entries below the commit index of the next one.',
  },
  {
    name: 'read-applies-uncommitted-entries',
    file: HOST,
    find: 'if (committedIndex(leader, followers) >= end) {',
    replace: 'if (followers.length >= 0) {',
    why: 'A read reflects what no majority holds yet.',
  },
  {
    name: 'read-without-majority',
    file: HOST,
    find: 'if (leader === null || !isAnswered(leader, servers)) {',
    replace: 'if (leader === null) {',
    why: 'A deposed leader answers reads out of its own register (scenario 8).',
    and: [
      {
        file: HOST,
        find: 'if (isLeaderConfirmed(servers) && this.replica',
        replace: 'if (this.replica',
      },
      {
        file: HOST,
        find: 'if (committedIndex(leader, followers) >= end) {',
        replace: 'if (leader.commitIndex >= end || followers.length === 0) {',
      },
    ],
  },
  {
    name: 'read-before-it-is-applied',
    file: HOST,
    find: 'if (isLeaderConfirmed(servers) && this.replica.applied.index >= lastEntry(leader).index) {',
    replace: 'if (isLeaderConfirmed(servers)) {',
    why: 'A confirmed read of a replica that has not come so far (scenario 8).',
  },
  {
    name: 'hint-of-a-beat-believed',
    file: HOST,
    find: 'const isHeld = commit !== null && termAt(server, commit.index) === commit.term;',
    replace: 'const isHeld = commit !== null && termAt(server, commit.index) !== null;',
    why: 'A commit index of a beat is believed of another entry.',
  },
  {
    name: 'follower-applies-its-whole-log',
    file: HOST,
    find: 'await this.#applier.applyFrom(own, provenIn(own, commit));',
    replace: 'await this.#applier.applyFrom(own, lastEntry(own).index);',
    why: 'A follower applies entries that may still be replaced (paper 5.3).',
  },
  {
    name: 'reused-id-answered',
    file: HOST,
    find: 'if (session.digest !== bodyDigest(body, this.#sha256)) {',
    replace: "if (session.digest === '') {",
    why: 'Another command with the same id is acknowledged (scenario 14).',
  },
  {
    name: 'expired-command-acknowledged',
    file: HOST,
    find: "return isExpired(session) ? { kind: 'unknown' } : {",
    replace: 'return {',
    why: 'A command that was not applied, because it came late, is called committed.',
  },
  {
    name: 'doubt-of-an-exchange-forgotten',
    file: HOST,
    find: "isInDoubt: answer.kind === 'unknown' };",
    replace: 'isInDoubt: false };',
    why: 'A write in doubt is told as rejected, and commits later (scenario 3).',
  },
  {
    name: 'unreplicated-is-no-doubt',
    file: HOST,
    find: "return isApplied ? null : { code: 'no-quorum', isInDoubt: true };",
    replace: "return isApplied ? null : { code: 'no-quorum', isInDoubt: false };",
    why: 'What stands in the leader only is told as rejected.',
  },
  {
    name: 'refused-proposal-replicated',
    file: HOST,
    find: "if (answer.kind !== 'answered' || answer.reply.kind === 'no') {",
    replace: "if (answer.kind !== 'answered') {",
    why: 'A register that does not lead is replicated as the leader.',
  },
  {
    name: 'lagging-followers-left-alone',
    file: HOST,
    find: 'if (hasWork || this.#replicator.isBehind(own)) {',
    replace: 'if (hasWork) {',
    why: 'A region that came back stays behind until somebody wants something.',
  },
  {
    name: 'earlier-doubt-forgotten',
    file: PROPOSALS,
    find: 'proposal.isInDoubt ||= shortfall?.isInDoubt ?? true;',
    replace: 'proposal.isInDoubt = shortfall?.isInDoubt ?? true;',
    why: 'The last try of several decides what a client hears (scenario 14).',
  },
  {
    name: 'time-over-is-rejected',
    file: PROPOSALS,
    find: "return isInDoubt ? { kind: 'unknown' } : { kind: 'rejected', code };",
    replace: "return { kind: 'rejected', code };",
    why: 'Unknown is rounded down to failure in front of the client.',
  },
  {
    name: 'two-pumps',
    file: PROPOSALS,
    find: `    if (this.#isPumping) {
      return;
    }
`,
    replace: '',
    why: 'Two rounds at a time work on one queue.',
  },
  {
    name: 'no-sessions',
    file: REPLICA,
    find: 'return session !== null && session.index >= oldest;',
    replace: 'return session !== null && session.index < 0;',
    why: 'A command sent again is applied again (thesis 6.3).',
  },
  {
    name: 'no-expiry',
    file: REPLICA,
    find: 'const isLate = command.basis < oldest;',
    replace: 'const isLate = false;',
    why: 'A late copy is applied after the first one was forgotten (scenario 14).',
  },
  {
    name: 'sessions-forgotten-early',
    file: REPLICA,
    find: 'return session !== null && session.index >= oldest;',
    replace: 'return session !== null && session.index >= oldest + 100;',
    why: 'An id is forgotten while a copy of it may still come.',
  },
  {
    name: 'snapshot-without-sessions',
    file: REPLICA,
    find: 'sessions: listSessions(sessions),',
    replace: 'sessions: [],',
    why: 'Who loads a snapshot applies again what the others skip: replicas diverge.',
  },
  {
    name: 'snapshot-without-chain',
    file: REPLICA,
    find: 'return { applied, chain, sessions: remember(NO_SESSIONS, sessions, 0), state };',
    replace:
      "return { applied, chain: '0'.repeat(64), sessions: remember(NO_SESSIONS, sessions, 0), state };",
    why: 'The hash chain begins anew at a snapshot.',
  },
];
