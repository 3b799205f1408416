/** Bugs in who votes, who leads, and who asks for an election (paper section 5.2, 5.4.1; thesis 9.6). */
import type { Mutant } from './mutant.ts';

const STEP = 'lib/consensus/step.ts';
const ELECTOR = 'lib/consensus/elector.ts';
const PULSE = 'lib/consensus/pulse.ts';

export const ELECTION_MUTANTS: readonly Mutant[] = [
  {
    name: 'majority-minus-one',
    file: 'lib/consensus/quorum.ts',
    find: 'Math.floor(memberCount / 2) + 1',
    replace: 'Math.floor(memberCount / 2)',
    why: 'The broken-quorum twin: votes, commits and reads by half (openraft d60f1e85).',
  },
  {
    name: 'majority-of-all',
    file: 'lib/consensus/quorum.ts',
    find: 'yesCount >= majorityOf(memberCount)',
    replace: 'yesCount === memberCount',
    why: 'One lost region stops everything: liveness.',
  },
  {
    name: 'campaign-after-another-vote',
    file: STEP,
    find: 'return server.term < term ? yes(becomeCandidate',
    replace: 'return server.term <= term ? yes(becomeCandidate',
    why: 'A register that voted for another candidate votes for its own region as well.',
  },
  {
    name: 'vote-without-comparing-logs',
    file: STEP,
    find: 'compareLogs(last, lastEntry(server)) >= 0',
    replace: 'compareLogs(last, last) >= 0',
    why: 'Paper 5.4.1 dropped: a candidate that lacks committed entries is elected.',
  },
  {
    name: 'vote-only-for-a-longer-log',
    file: STEP,
    find: 'compareLogs(last, lastEntry(server)) >= 0',
    replace: 'compareLogs(last, lastEntry(server)) > 0',
    why: 'Equal logs refuse each other: nobody is ever elected in a cluster at rest.',
  },
  {
    name: 'logs-compared-by-length',
    file: 'lib/consensus/server.ts',
    find: 'Math.sign(left.term - right.term || left.index - right.index)',
    replace: 'Math.sign(left.index - right.index)',
    why: 'A longer log of an older term wins (paper 5.4.1; openraft a48a3282).',
  },
  {
    name: 'logs-compared-as-vectors',
    file: 'lib/consensus/server.ts',
    find: 'Math.sign(left.term - right.term || left.index - right.index)',
    replace: 'Math.sign(Math.max(left.term - right.term, left.index - right.index))',
    why: 'Not lexicographic: up-to-date if either term or length is (openraft a48a3282).',
  },
  {
    name: 'second-vote-in-term',
    file: STEP,
    find: 'server.term === term && server.votedFor !== null',
    replace: 'server.term === term && server.votedFor === server.identity.region',
    why: 'A register votes for two candidates in one term.',
  },
  {
    name: 'vote-in-an-older-term',
    file: STEP,
    find: `  if (server.term > term) {
    return no(server, 'term-moved-on');
  }
  if (server.term === term && server.votedFor`,
    replace: '  if (server.term === term && server.votedFor',
    why: 'A late vote request takes a register back to a term that it has left.',
  },
  {
    name: 'leader-without-no-op',
    file: STEP,
    find: '{ ...withEntries(server, [{ command: null }]), leaderOf: server.term }',
    replace: '{ ...server, leaderOf: server.term }',
    why: 'What came before is not committed until somebody wants something (paper section 8).',
  },
  {
    name: 'follower-keeps-leadership',
    file: STEP,
    find: 'return { ...server, term, votedFor, leaderOf: NOT_LEADING };',
    replace: 'return { ...server, term, votedFor };',
    why: 'A deposed leader keeps the mark of leadership in its register.',
  },
  {
    name: 'candidate-keeps-leading',
    file: STEP,
    find: 'votedFor: memberOf(server), leaderOf: NOT_LEADING };',
    replace: 'votedFor: memberOf(server), leaderOf: server.leaderOf > 0 ? term : NOT_LEADING };',
    why: 'A leader that stands again leads the new term before anybody voted.',
  },
  {
    name: 'claims-a-longer-log',
    file: ELECTOR,
    find: 'const last: Base = { index: lastEntry(candidate).index,',
    replace: 'const last: Base = { index: logIndex(lastEntry(candidate).index + 1),',
    why: 'A vote is asked for with a log that the candidate does not hold (obligation 4).',
    and: [
      {
        file: ELECTOR,
        find: 'import { type RegionId,',
        replace: 'import { logIndex, type RegionId,',
      },
    ],
  },
  {
    name: 'lead-without-votes',
    file: ELECTOR,
    find: 'if (!isElected) {',
    replace: 'if (!isElected && termSeen < 0) {',
    why: 'A candidate leads although the majority refused.',
  },
  {
    name: 'unknown-vote-counted',
    file: ELECTOR,
    find: `      if (answer.kind !== 'answered') {
        return;
      }
      // The table`,
    replace: `      if (answer.kind !== 'answered') {
        if (answer.kind === 'unknown') {
          votes.add(member);
        }
        return;
      }
      // The table`,
    why: 'An unknown outcome is rounded up to a vote (scenario 3).',
  },
  {
    name: 'refused-vote-counted',
    file: ELECTOR,
    find: `      if (answer.reply.kind === 'yes') {
        votes.add`,
    replace: `      if (answer.reply.kind === 'yes' || answer.reply.kind === 'no') {
        votes.add`,
    why: 'Whoever answers is counted as a voter.',
  },
  {
    name: 'voters-counted-before-they-answer',
    file: ELECTOR,
    find: 'new Set<MemberId>([self]);',
    replace: 'new Set<MemberId>([self, ...decidersOf(configuration).slice(0, 1)]);',
    why: 'One vote is counted that nobody gave.',
  },
  {
    name: 'lead-without-own-answer',
    file: ELECTOR,
    find: "return led.kind === 'answered' && led.reply.kind === 'yes'",
    replace: "return led.kind === 'answered'",
    why: 'The candidate register refused to lead, and the process appends in its name.',
  },
  {
    name: 'worst-candidate',
    file: ELECTOR,
    find: 'const best = voters.toSorted(byLog).at(-1) ?? null;',
    replace: 'const best = voters.toSorted(byLog).at(0) ?? null;',
    why: 'The region with the oldest log stands: it cannot win while another has more.',
  },
  {
    name: 'signs-without-counter',
    file: ELECTOR,
    find: `\`\${outcome.beat.term}/\${outcome.beat.counter}\``,
    replace: `\`\${outcome.beat.term}\``,
    why: 'Pre-vote is blind for beats: a healthy leader is deposed by whoever lost sight of it.',
  },
  {
    name: 'pre-vote-without-waiting',
    file: ELECTOR,
    find: 'cluster.timings.beatMs * PRE_VOTE_BEATS',
    replace: '0',
    why: 'Two looks at once see no beat between them (thesis 9.6).',
  },
  {
    name: 'no-pre-vote',
    file: PULSE,
    find: 'if ((await isLeaderless(this.#cluster)) && this.#silence.isOver) {',
    replace: 'if (this.#silence.isOver) {',
    why: 'Whoever cannot see the leader deposes it (thesis 9.6; CockroachDB pull request 104042).',
  },
  {
    name: 'leader-beats-without-its-register',
    file: PULSE,
    find: 'return isReachable && cached',
    replace: 'return cached',
    why: 'A region that cannot commit keeps the others from electing one that can.',
  },
  {
    name: 'beats-once',
    file: PULSE,
    find: 'void client.writeBeat(beat).finally(() => this.#beating.delete(client.region));',
    replace: 'void client.writeBeat(beat);',
    why: 'A leader whose beats stop is deposed again and again.',
  },
  {
    name: 'beat-promises-uncommitted-entries',
    file: PULSE,
    find: 'commit: this.#host.commit,',
    replace: 'commit: leader.entries.at(-1) ?? leader.base,',
    why: 'A beat calls the whole log committed, and followers apply it.',
  },
  {
    name: 'challenge-ignored',
    file: PULSE,
    find: 'if (leader !== null && this.#host.highestTermSeen > leader.term) {',
    replace: 'if (leader !== null && this.#host.highestTermSeen < 0) {',
    why: 'A leader never hears of the higher term that keeps a register from it.',
  },
];
