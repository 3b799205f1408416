/** Bugs in how a log gets into the other registers, and in what is then called committed. */
import type { Mutant } from './mutant.ts';

const STEP = 'lib/consensus/step.ts';
const PROGRESS = 'lib/consensus/progress.ts';
const QUORUM = 'lib/consensus/quorum.ts';
const REPLICATOR = 'lib/consensus/replicator.ts';

export const REPLICATION_MUTANTS: readonly Mutant[] = [
  {
    name: 'append-in-an-older-term',
    file: STEP,
    find: `  if (server.term > term) {
    return null;
  }`,
    replace: `  if (server.term > term) {
    return server;
  }`,
    why: 'A register takes entries of a leader whose term it has left (scenario 1).',
    and: [
      {
        file: REPLICATOR,
        find: 'server.term > leader.term || this.#isSuperseded(leader)\n        ? null',
        replace: 'this.#isSuperseded(leader)\n        ? null',
      },
    ],
  },
  {
    name: 'append-truncates-what-is-longer',
    file: STEP,
    find: `  if (differs === -1) {
    return server.entries;
  }`,
    replace: `  if (differs === -1) {
    return [...server.entries.slice(0, offset), ...entries];
  }`,
    why: 'A late, shorter append deletes what came after it (openraft 9540c904; scenario 4).',
  },
  {
    name: 'append-never-truncates',
    file: STEP,
    find: 'server.entries[offset + i]?.term !== entry.term',
    replace: 'server.entries[offset + i] === undefined',
    why: 'Entries of a deposed leader stay below those of the next: two logs spliced (scenario 12).',
  },
  {
    name: 'commit-beyond-the-message',
    file: STEP,
    find: 'Math.min(message.commitIndex, end.index)',
    replace: 'message.commitIndex',
    why: 'A follower calls committed what this append did not show to be equal (paper figure 2).',
  },
  {
    name: 'commit-index-falls',
    file: STEP,
    find: 'return commitIndex > server.commitIndex ? yes',
    replace: 'return commitIndex !== server.commitIndex ? yes',
    why: 'A late message takes back what was committed (openraft fbbf37b1).',
  },
  {
    name: 'any-commit-believed',
    file: STEP,
    find: 'return termAt(next, commit.index) === commit.term ? raise',
    replace: 'return termAt(next, commit.index) !== null ? raise',
    why: 'A commit index is believed of another entry at the same place.',
  },
  {
    name: 'matched-by-length',
    file: PROGRESS,
    find: 'if (termAt(leader, logIndex(index)) === termAt(follower, logIndex(index))) {',
    replace: 'if (termAt(leader, logIndex(index)) !== null) {',
    why: 'A follower with other entries counts as level (paper 5.3).',
  },
  {
    name: 'commit-one-short-of-majority',
    file: QUORUM,
    find: 'ascending.at(-majorityOf(voters.length))',
    replace: 'ascending.at(1 - majorityOf(voters.length))',
    why: 'Committed on a minority (openraft 1802).',
  },
  {
    name: 'commit-by-position-not-order',
    file: QUORUM,
    find: '.sort((a, b) => a - b)',
    replace: '',
    why: 'The quorum scan trusts an order that nobody made (openraft 1802).',
  },
  {
    name: 'ack-of-a-term-moved-on',
    file: PROGRESS,
    find: '.filter(({ term }) => term === leader.term)',
    replace: '.filter(({ term }) => term > 0)',
    why: 'An entry in a register that has left the term counts (design 4, consequence 3).',
    and: [
      {
        file: REPLICATOR,
        find: 'current.term !== leader.term || follower.term !== leader.term',
        replace: 'current.term !== leader.term',
      },
      {
        file: REPLICATOR,
        find: 'if (follower.term > leader.term || this.#isSuperseded(leader)) {',
        replace: 'if (this.#isSuperseded(leader)) {',
      },
    ],
  },
  {
    name: 'higher-term-not-noted',
    file: REPLICATOR,
    find: 'this.#highestTermSeen = Math.max(this.#highestTermSeen, follower.term);',
    replace: '',
    why: 'A leader silenced by one register never stands again (silenced-register.txt).',
    and: [
      {
        file: 'lib/consensus/log-host.ts',
        find: 'this.#highestTermRead = Math.max(this.#highestTermRead, ...servers.map(({ term }) => term));',
        replace: 'void servers;',
      },
    ],
  },
  {
    name: 'append-to-the-leader-itself',
    file: REPLICATOR,
    find: 'leader !== null && leader.identity.region !== region &&',
    replace: 'leader !== null &&',
    why: 'Work for a follower goes on when it has become the leader.',
  },
  {
    name: 'moved-on-follower-asked-again',
    file: REPLICATOR,
    find: 'if (follower.term > leader.term || this.#isSuperseded(leader)) {',
    replace: 'if (this.#isSuperseded(leader)) {',
    why: 'A register that refuses for good is asked without end.',
  },
  {
    name: 'settled-work-stays-busy',
    file: REPLICATOR,
    find: 'this.#catchUp(region).finally(() => this.#busy.delete(region))',
    replace: 'this.#catchUp(region)',
    why: 'A follower whose catching-up ended is thought to be served: it starves.',
  },
  {
    name: 'waits-for-the-slowest',
    file: 'lib/consensus/cluster.ts',
    find: 'if (open === 0 || isEnough()) {',
    replace: 'if (open === 0) {',
    why: 'One table that does not answer delays every commit, read and election.',
  },
  {
    name: 'install-before-snapshot',
    file: REPLICATOR,
    find: '!(await this.#copySnapshot(base, identity.region, region))',
    replace: '(void this.#copySnapshot(base, identity.region, region), follower.base.index < 0)',
    why: 'Order swapped: the base points at a snapshot that is not there yet.',
  },
  {
    name: 'install-without-snapshot',
    file: REPLICATOR,
    find: 'return text !== null && (await clientOf(this.#cluster, to).writeSnapshot(base, text));',
    replace: `if (text !== null) {
      await clientOf(this.#cluster, to).writeSnapshot(base, text);
    }
    return true;`,
    why: 'The base moves although its snapshot was not stored.',
  },
  {
    name: 'never-installs',
    file: REPLICATOR,
    find: `    if (matchIndex(leader, follower) === null) {
      return this.#install(leader, region);
    }`,
    replace: `    if (matchIndex(leader, follower) === null) {
      return false;
    }`,
    why: 'A follower behind the leader base is never brought back (scenario 13).',
  },
  {
    name: 'install-takes-the-base-back',
    file: STEP,
    find: 'if (follower.base.index >= base.index) {',
    replace: 'if (follower.base.index === base.index) {',
    why: 'A late install undoes a newer one.',
    and: [
      {
        file: REPLICATOR,
        find: 'const isAhead = (follower?.base.index ?? 0) >= base.index;',
        replace: 'const isAhead = false;',
      },
    ],
  },
  {
    name: 'install-drops-the-tail',
    file: STEP,
    find: 'const entries = matches ? follower.entries.slice(base.index - follower.base.index) : [];',
    replace: 'const entries: readonly Entry[] = [];',
    why: 'Entries above the snapshot, perhaps committed through this register, are lost.',
  },
  {
    name: 'install-leaves-commit-behind',
    file: STEP,
    find: 'const commitIndex = logIndex(Math.max(follower.commitIndex, base.index));',
    replace: 'const { commitIndex } = follower;',
    why: 'A base above its own commit index.',
  },
];
