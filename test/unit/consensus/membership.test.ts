/** Who votes: ids of members, and the steps by which a configuration may change. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { regionId } from '../../../lib/base/identifiers.ts';
import {
  type Configuration,
  final,
  foundingConfiguration,
  incarnationOf,
  isStep,
  joint,
  type MemberId,
  memberId,
  regionOf,
  withLearner,
  withoutLearner,
} from '../../../lib/consensus/membership.ts';
import { isQuorum } from '../../../lib/consensus/quorum.ts';

const [A, B, C, D] = ['us-east-1', 'us-east-2', 'us-west-2', 'eu-west-1'].map(regionId) as [
  ReturnType<typeof regionId>,
  ReturnType<typeof regionId>,
  ReturnType<typeof regionId>,
  ReturnType<typeof regionId>,
];
const C2 = memberId(C, 2);
const FOUNDED = foundingConfiguration([C, A, B]);
const ALL: readonly MemberId[] = [A, B, C, C2, D];

describe('a member', () => {
  test('is named by its region, and by its number where it took the place of another', () => {
    expect(memberId(C, 1)).toBe('us-west-2');
    expect(C2).toBe('us-west-2#2');
    expect(ALL.map((member) => `${regionOf(member)} ${incarnationOf(member)}`)).toContain(
      'us-west-2 2',
    );
    expect(() => memberId(C, 0)).toThrow(/incarnation-not-a-counter/);
  });
});

describe('a step', () => {
  const learning = withLearner(FOUNDED, C2);
  const leaving = joint(learning, { leaving: C, joining: C2 });

  test('leads from one configuration to the next by a learner and both majorities', () => {
    expect(learning).toEqual({ ...FOUNDED, learners: [C2] });
    expect(leaving.outgoing).toEqual(FOUNDED.voters);
    expect(final(leaving)).toEqual({ voters: [A, B, C2].sort(), outgoing: null, learners: [] });
    for (const [from, to] of [
      [FOUNDED, learning],
      [learning, FOUNDED],
      [learning, leaving],
      [leaving, final(leaving)],
    ] as const) {
      expect(isStep(from, to)).toBe(true);
    }
  });

  test.each<readonly [string, Configuration, Configuration]>([
    ['a vote for who was no learner', FOUNDED, joint(FOUNDED, { leaving: C, joining: C2 })],
    ['a new configuration without a joint one', learning, final(leaving)],
    ['two changes at once', leaving, withLearner(leaving, D)],
    ['a way back out of a joint configuration', leaving, learning],
    ['two learners in one step', FOUNDED, withLearner(learning, D)],
    ['a learner that is there', learning, withLearner(learning, C2)],
    ['one voter less', FOUNDED, { ...FOUNDED, voters: [A, B] }],
    ['nothing', FOUNDED, FOUNDED],
  ])('is not %s', (_, from, to) => {
    expect(isStep(from, to)).toBe(false);
  });
});

/** Any configuration that steps lead to from the founding one. */
const reachable: fc.Arbitrary<readonly Configuration[]> = fc
  .array(fc.nat(), { minLength: 1, maxLength: 12 })
  .map((choices) => {
    const way = [FOUNDED];
    for (const choice of choices) {
      const here = way.at(-1) ?? FOUNDED;
      const next = nextOf(here);
      way.push(next[choice % next.length] ?? here);
    }
    return way;
  });

/** Every step there is: candidates of each form, kept if the law takes them. */
function nextOf(here: Configuration): readonly Configuration[] {
  const candidates = [
    final(here),
    ...ALL.flatMap((member) => [withLearner(here, member), withoutLearner(here, member)]),
    ...here.learners.flatMap((joining) =>
      here.voters.map((leaving) => joint(here, { leaving, joining })),
    ),
  ];
  return candidates.filter((candidate) => isStep(here, candidate));
}

function quorumsOf(configuration: Configuration): readonly ReadonlySet<MemberId>[] {
  const subsets = Array.from(
    { length: 2 ** ALL.length },
    (_, bits) => new Set(ALL.filter((__, place) => (bits >> place) % 2 === 1)),
  );
  return subsets.filter((members) => isQuorum(configuration, members));
}

test('every quorum meets every quorum of the next configuration, however often it changes', () => {
  const changed = new Set<string>();
  fc.assert(
    fc.property(reachable, (way) => {
      for (const [place, here] of way.entries()) {
        const next = way[place + 1] ?? here;
        changed.add(next.voters.join());
        for (const quorum of quorumsOf(here)) {
          for (const other of quorumsOf(next)) {
            expect(isDisjoint(quorum, other)).toBe(false);
          }
        }
      }
    }),
    { seed: 20_261_123, numRuns: 200 },
  );
  expect(changed.size).toBeGreaterThan(3);
});

test('without the joint step two quorums could miss each other', () => {
  const next = final(joint(withLearner(FOUNDED, C2), { leaving: C, joining: C2 }));
  const missing = quorumsOf(FOUNDED).some((quorum) =>
    quorumsOf(next).some((other) => isDisjoint(quorum, other)),
  );
  expect(missing).toBe(true);
});

function isDisjoint(left: ReadonlySet<MemberId>, right: ReadonlySet<MemberId>): boolean {
  return ![...left].some((member) => right.has(member));
}
