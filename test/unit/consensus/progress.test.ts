/** Matching and committing, against naive twins and the paper's figure 8. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logIndex, type RegionId, regionId, term } from '../../../lib/base/identifiers.ts';
import { foundingConfiguration } from '../../../lib/consensus/membership.ts';
import { appendFor, committedIndex, matchIndex } from '../../../lib/consensus/progress.ts';
import { isMajority, majorityOf } from '../../../lib/consensus/quorum.ts';
import { pristineServer, type Server } from '../../../lib/consensus/server.ts';
import { step } from '../../../lib/consensus/step.ts';

const MEMBERS = ['us-east-1', 'us-east-2', 'us-west-2'].map(regionId);
const [A, B, C] = MEMBERS as [RegionId, RegionId, RegionId];

function server(region: RegionId, terms: readonly number[], changes: Partial<Server> = {}): Server {
  return {
    ...pristineServer({ clusterId: 'test', region, founders: MEMBERS, incarnation: 1 }),
    term: term(Math.max(0, ...terms)),
    entries: terms.map((t, i) => ({ index: logIndex(i + 1), term: term(t), command: null })),
    ...changes,
  };
}

function leader(terms: readonly number[], leaderTerm: number): Server {
  return server(A, terms, { term: term(leaderTerm), votedFor: A, leaderOf: term(leaderTerm) });
}

describe('majorityOf', () => {
  it('overlaps every other majority', () => {
    expect([1, 2, 3, 4, 5].map(majorityOf)).toEqual([1, 2, 2, 3, 3]);
    expect(isMajority(1, 3)).toBe(false);
    expect(isMajority(2, 3)).toBe(true);
  });
});

describe('committedIndex', () => {
  it('takes two of three, seen in the term of the leader', () => {
    const here = leader([1, 2, 2], 2);
    expect(committedIndex(here, [server(B, [1, 2])])).toBe(2);
    expect(committedIndex(here, [server(B, [1]), server(C, [1, 2, 2])])).toBe(3);
  });

  it('counts no register whose term has moved on, though it holds the entry (figure 8)', () => {
    const here = leader([1, 2], 2);
    expect(committedIndex(here, [server(B, [1, 2], { term: term(3) })])).toBe(0);
  });

  it('commits nothing of an older term by counting (section 5.4.2), only through an own entry', () => {
    const follower = server(B, [1, 2], { term: term(4) });
    expect(committedIndex(leader([1, 2, 4], 4), [follower])).toBe(0);
    const own = server(B, [1, 2, 4], { term: term(4) });
    expect(committedIndex(leader([1, 2, 4], 4), [own])).toBe(3);
  });

  it('needs three of five', () => {
    const members = [...MEMBERS, regionId('eu-west-1'), regionId('eu-west-2')];
    const five = (one: Server): Server => ({
      ...one,
      baseConfiguration: foundingConfiguration(members),
    });
    const here = five(leader([1, 1], 1));
    expect(committedIndex(here, [five(server(B, [1, 1]))])).toBe(0);
    expect(committedIndex(here, [five(server(B, [1, 1])), five(server(C, [1]))])).toBe(1);
  });
});

describe('matchIndex and appendFor', () => {
  const terms = fc
    .array(fc.integer({ min: 1, max: 4 }), { maxLength: 8 })
    .map((list) => list.toSorted());

  it('agree with looking at every index, for logs that match as Raft logs do', () => {
    fc.assert(
      fc.property(terms, fc.nat(8), terms, (shared, cut, tail) => {
        const prefix = shared.slice(0, cut);
        const last = prefix.at(-1) ?? 0;
        // What follows the common part differs at once, as Log Matching demands.
        const left = [...prefix, ...tail.map((t) => t + last + 10)];
        const right = [...prefix, ...tail.map((t) => t + last + 20)];
        expect(matchIndex(server(A, left), server(B, right))).toBe(prefix.length);
      }),
      { seed: 20_261_123, numRuns: 300 },
    );
  });

  it('level any follower in one append', () => {
    fc.assert(
      fc.property(terms, terms, terms, (shared, mine, other) => {
        const last = shared.at(-1) ?? 0;
        const here = leader([...shared, ...mine.map((t) => t + last + 20), 99], 99);
        const follower = server(B, [...shared, ...other.map((t) => t + last + 10)]);
        const message = appendFor(here, follower, logIndex(0));
        const after = message === null ? follower : step(follower, message).server;
        expect(after.entries.map((entry) => entry.term)).toEqual(
          here.entries.map((entry) => entry.term),
        );
      }),
      { seed: 20_261_123, numRuns: 300 },
    );
  });

  it('find a follower level that was compacted beyond the end of an old copy of the leader', () => {
    const commitIndex = logIndex(5);
    const follower = server(B, [], { base: { index: commitIndex, term: term(2) }, commitIndex });
    expect(matchIndex(leader([1, 2], 2), follower)).toBe(2);
  });

  it('have no append for a follower that ends before the base of the leader', () => {
    const here = {
      ...leader([], 3),
      base: { index: logIndex(5), term: term(2) },
      commitIndex: logIndex(5),
    };
    expect(matchIndex(here, server(B, [1, 1]))).toBeNull();
    expect(appendFor(here, server(B, [1, 1]), logIndex(5))).toBeNull();
  });
});
