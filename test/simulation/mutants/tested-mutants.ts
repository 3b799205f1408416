/**
 * Mutants that no life can tell from the right code, or only one in thousands. Each says why, and is
 * hunted by the unit tests that aim at it.
 */
import type { Mutant } from './mutant.ts';

const STEP = 'lib/consensus/step.ts';
const PROGRESS = 'lib/consensus/progress.ts';
const REPLICATOR = 'lib/consensus/replicator.ts';
const CLIENT = 'lib/consensus/register-client.ts';
const CLUSTER = 'lib/consensus/cluster.ts';
const ELECTOR = 'lib/consensus/elector.ts';
const HOST = 'lib/consensus/log-host.ts';
const PROPOSALS = 'lib/consensus/proposals.ts';
const ELECTIONS = 'test/unit/consensus/elections.test.ts';
const HOSTS = 'test/unit/consensus/log-host.test.ts';
const REPLICAS = 'test/unit/consensus/replicator.test.ts';
const STEPS = 'test/unit/consensus/step.test.ts';

export const TESTED_MUTANTS: readonly Mutant[] = [
  {
    name: 'commit-through-an-older-term',
    file: PROGRESS,
    find: 'const isOwnTerm = termAt(leader, logIndex(agreed)) === leader.term;',
    replace: 'const isOwnTerm = termAt(leader, logIndex(agreed)) !== null;',
    why: 'Figure 8 (logcabin 44). An append carries the whole tail, the own no-op included, so a follower never holds older entries without it (docs/raft.md); the explorer finds it where appends are cut.',
    tests: 'test/unit/consensus/progress.test.ts',
  },
  {
    name: 'everybody-stands-at-once',
    file: 'lib/consensus/silence.ts',
    find: 'turn * PRE_VOTE_BEATS',
    replace: '0 * turn',
    why: 'Regions that lost their leader split the votes and try again: that costs time, and no life counts it.',
    tests: 'test/unit/consensus/silence.test.ts',
  },
  {
    name: 'same-beat-is-a-sign-of-life',
    file: 'lib/consensus/silence.ts',
    find: 'if (sign !== this.#sign) {',
    replace: 'if (sign !== "") {',
    why: 'What a dead leader left in the table counts again at each look: nobody is elected any more.',
    tests: 'test/unit/consensus/silence.test.ts',
  },
  {
    name: 'append-without-looking-at-what-is-before',
    file: STEP,
    find: 'if (termAt(follower, previous.index) !== previous.term) {',
    replace: 'if (termAt(follower, previous.index) === null) {',
    why: 'The process computes an append from the very copy that the write depends on, so it always fits; the register looks once more.',
    tests: STEPS,
  },
  {
    name: 'append-leaves-the-vote-open',
    file: STEP,
    find: '  return becomeFollower(server, term, leader);',
    replace: '  return { ...becomeFollower(server, term, leader), votedFor: null };',
    why: 'Whoever leads a term has a majority of its votes; one more that is free elects nobody.',
    tests: STEPS,
  },
  {
    name: 'same-vote-refused-the-second-time',
    file: STEP,
    find: 'if (server.term === term && server.votedFor === candidate) {',
    replace: 'if (server.term > term && server.votedFor === candidate) {',
    why: 'Not idempotent: a vote whose answer was lost is not counted (scenario 2), which costs an election.',
    tests: STEPS,
  },
  {
    name: 'lead-in-a-later-candidacy',
    file: STEP,
    find: `  if (server.term > term) {
    return no(server, 'term-moved-on');
  }
  if (server.term < term || server.votedFor !==`,
    replace: '  if (server.term < term || server.votedFor !==',
    why: 'A late "lead" of one candidacy makes the same region lead in a later one, without votes (scenario 5): about one life in a thousand.',
    tests: STEPS,
  },
  {
    name: 'lead-twice',
    file: STEP,
    find: 'return isLeader(server) ? yes(server) : yes(becomeLeader(server));',
    replace: 'return yes(becomeLeader(server));',
    why: 'Not idempotent: a repeated "lead" appends one more no-op, which changes nothing.',
    tests: STEPS,
  },
  {
    name: 'commands-appended-twice',
    file: STEP,
    find: 'const missing = absentFrom(server, commands);',
    replace: 'const missing = commands;',
    why: 'Not idempotent: a repeated proposal stands twice in the log, and the sessions apply it once.',
    tests: STEPS,
  },
  {
    name: 'cached-reply-believed',
    file: CLIENT,
    find: 'if (!effort.isFresh) {',
    replace: 'if (effort.isFresh === null) {',
    why: 'A reply without a write from a copy that may be old. What it says of a term was true once and stays so; reads, which need more, refresh. The explorer finds it where reads rely on it.',
    tests: 'test/unit/consensus/register-client.test.ts',
  },
  {
    name: 'no-ends-doubt',
    file: CLIENT,
    find: "return reply.kind === 'no' && effort.isInDoubt",
    replace: "return reply.kind === 'no' && effort.isFresh === null",
    why: 'A "no" of a higher term is believed, though the entry stands below it: less than one life in a thousand.',
    tests: 'test/unit/consensus/register-client.test.ts',
  },
  {
    name: 'conflict-is-no-doubt',
    file: CLIENT,
    find: `        effort.isFresh = true;
        return null;
      case 'refused':`,
    replace: `        effort.isFresh = true;
        effort.isInDoubt = wasInDoubt;
        return null;
      case 'refused':`,
    why: 'A request that the store repeats meets its own first attempt, and in between a new term has begun (scenario 2): one life in many thousands.',
    tests: 'test/unit/consensus/register-client.test.ts',
  },
  {
    name: 'compacted-follower-unmatched',
    file: PROGRESS,
    find: 'if (follower.base.index > end) {',
    replace: 'if (follower.base.index < 0) {',
    why: 'A follower that compacted beyond an old copy of the leader seems to need a snapshot: one more round.',
    tests: 'test/unit/consensus/progress.test.ts',
  },
  {
    name: 'abandoned-register-grows',
    file: REPLICATOR,
    find: 'return entries.length > this.#cluster.limits.abandonedEntriesMax;',
    replace: 'return entries.length < 0;',
    why: 'A region whose processes are gone for long: its register grows, and is refused at the wall.',
    tests: REPLICAS,
  },
  {
    name: 'catch-up-stops-early',
    file: REPLICATOR,
    find: 'leader = isDone ? this.#leader : null;',
    replace: 'leader = null;',
    why: 'Entries that came while an append was under way wait for the next command or look: time only.',
    tests: REPLICAS,
  },
  {
    name: 'roll-back-unnoticed',
    file: CLIENT,
    find: 'requireNotRolledBack(this.#seen, copy);',
    replace: '',
    why: 'A table restored to an older point votes again (scenario 15). Lives restore no table: it would be the end of them.',
    tests: 'test/unit/consensus/register-client.test.ts',
  },
  {
    name: 'term-of-the-electorate-only',
    file: ELECTOR,
    find: 'Math.max(termSeen, ...servers',
    replace: 'Math.max(0, ...servers',
    why: 'A register silenced by a higher term is never reached again (silenced-register.txt). Lives ask all registers sooner or later, which costs elections only.',
    tests: ELECTIONS,
  },
  {
    name: 'highest-term-leader-only',
    file: CLUSTER,
    find: `    leaders.find((leader) => isInQuorum(leader, servers)) ??
`,
    replace: '',
    why: 'One register in a higher term hides the leader from everybody. The next election mends it: time only.',
    tests: ELECTIONS,
    and: [
      {
        file: 'lib/consensus/log-host.ts',
        find: 'this.#highestTermRead = Math.max(this.#highestTermRead, ...servers.map(({ term }) => term));',
        replace: 'void servers;',
      },
    ],
  },
  {
    name: 'older-leader-adopted',
    file: REPLICATOR,
    find: 'known === null || known.term < leader.term',
    replace: 'known === null || known.term !== leader.term',
    why: 'A process goes back to a deposed leader, and its entries stand below the commit index. It takes two leaderships and one slow call in one process: less than one life in a thousand.',
    tests: REPLICAS,
  },
  {
    name: 'commit-of-a-newer-leader-sent',
    file: REPLICATOR,
    find: 'server.term > leader.term || this.#isSuperseded(leader)\n        ? null',
    replace: 'server.term > leader.term\n        ? null',
    why: 'A deposed leader sends the commit index of its successor, which means other entries. It takes a write that waited for its turn through a whole election: less than one life in a thousand.',
    tests: REPLICAS,
  },
  {
    name: 'install-keeps-another-tail',
    file: STEP,
    find: 'const entries = matches ? follower.entries.slice(base.index - follower.base.index) : [];',
    replace: 'const entries = follower.entries.slice(base.index - follower.base.index);',
    why: 'Entries that do not belong to the snapshot stay behind it (paper section 7). A follower whose log ends before the base has no tail to keep; one that conflicts there is less than one life in a thousand.',
    tests: STEPS,
  },
  {
    name: 'basis-from-the-own-replica-only',
    file: HOST,
    find: 'return logIndex(Math.max(this.replica.applied.index, base.index, commitIndex));',
    replace: 'return this.replica.applied.index;',
    why: 'A process that has just started begins its commands in the past: they expire. Most lives are shorter than the window.',
    tests: HOSTS,
  },
  {
    name: 'old-copy-proposed-to',
    file: HOST,
    find: 'return clock.monotonicNow() - this.#heardAt <= timings.proposeTimeoutMs;',
    replace: 'return clock.monotonicNow() >= this.#heardAt || timings.beatMs > 0;',
    why: 'A process that slept begins its commands in the past: they expire. Most lives are shorter than the window.',
    tests: HOSTS,
  },
  {
    name: 'basis-moves-with-each-try',
    file: PROPOSALS,
    find: 'proposal.basis ??= basis;',
    replace: 'proposal.basis = basis;',
    why: 'The window of an id moves away from its first copy, which is forgotten (scenario 14). A second copy must land a whole window after the first: no client of a life waits that long.',
    tests: HOSTS,
  },
  {
    name: 'appends-without-quorum',
    file: HOST,
    find: 'return mustProve ? this.confirmLeadership() : true;',
    replace: 'return mustProve || !mustProve;',
    why: 'The log of an isolated leader fills up. What such a log holds is committed or cut when the cut is over, whatever its length.',
    tests: HOSTS,
  },
  {
    name: 'torn-election-unnoticed',
    file: 'lib/consensus/pulse.ts',
    find: 'leader === null && this.#isFollowedLeaderChallenged()',
    replace: 'leader === null && this.#isFollowedLeaderChallenged() && false',
    why: 'A leader that can commit nothing beats on for ever. Lives write all the time, and a write meets the higher term.',
    tests: ELECTIONS,
  },
  {
    name: 'member-number-not-drawn',
    file: 'lib/consensus/membership.ts',
    find: '(lastIndex + 1) * DRAWS + Math.floor(random() * DRAWS)',
    replace: '(lastIndex + 1) * DRAWS + Math.floor(random() * 0)',
    why: 'Two operators make one member, and a late creation of the one is a vote of the other. It takes two losses.',
    tests: 'test/unit/consensus/membership-change.test.ts',
  },
];
