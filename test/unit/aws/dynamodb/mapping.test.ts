import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemBytes, keyItem } from '../../../../lib/aws/dynamodb/attributes.ts';
import {
  decodeBeat,
  decodeRegister,
  encodeBeat,
  encodeRegister,
  registerKey,
} from '../../../../lib/aws/dynamodb/mapping.ts';
import { commandId, logIndex, regionId, term } from '../../../../lib/base/identifiers.ts';
import type { JsonValue } from '../../../../lib/base/json.ts';
import { type Configuration, memberId } from '../../../../lib/consensus/membership.ts';
import type { Entry, Server } from '../../../../lib/consensus/server.ts';
import { registerBytes } from '../../../../lib/consensus/size.ts';
import { identityOf, MEMBERS, serverWith } from '../../../support/servers.ts';

/** -0 has no JSON form; JSON has one zero. */
const body = fc.jsonValue({ noUnicodeString: false }).map((value) => {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
});

const anyMember = fc
  .record({ region: fc.constantFrom(...MEMBERS), incarnation: fc.integer({ min: 1, max: 12 }) })
  .map(({ region, incarnation }) => memberId(region, incarnation));
const someMembers = fc.uniqueArray(anyMember, { minLength: 1, maxLength: 4 });

const anyConfiguration: fc.Arbitrary<Configuration> = fc.record({
  voters: someMembers,
  outgoing: fc.option(someMembers),
  learners: fc.uniqueArray(anyMember, { maxLength: 2 }),
});

/** Any server that `checkServer` accepts: terms never fall, the commit is in the log. */
const anyServer: fc.Arbitrary<Server> = fc
  .record({
    region: fc.constantFrom(...MEMBERS),
    clusterId: fc.stringMatching(/^[ -~]{1,40}$/),
    baseIndex: fc.nat({ max: 1_000_000 }),
    baseTerm: fc.nat({ max: 9 }),
    baseConfiguration: anyConfiguration,
    steps: fc.array(
      fc.record({
        rise: fc.nat({ max: 3 }),
        kind: fc.constantFrom('no-op', 'command', 'change'),
        id: fc.uuid(),
        body,
        configuration: anyConfiguration,
      }),
      { maxLength: 8 },
    ),
    behind: fc.nat({ max: 8 }),
    role: fc.constantFrom('leader', 'follower', 'undecided'),
  })
  .map(({ region, clusterId, baseIndex, baseTerm, baseConfiguration, steps, behind, role }) => {
    const base = { index: logIndex(baseIndex), term: term(baseTerm) };
    let entryTerm = baseTerm;
    const entries = steps.map((step, place): Entry => {
      entryTerm += step.rise;
      const index = logIndex(baseIndex + 1 + place);
      const command = { id: commandId(step.id), basis: logIndex(baseIndex), body: step.body };
      const entry = { index, term: term(entryTerm), command: null };
      switch (step.kind) {
        case 'command':
          return { ...entry, command };
        case 'change':
          return { ...entry, configuration: step.configuration };
        default:
          return entry;
      }
    });
    const serverTerm = term(entryTerm + 1);
    return {
      identity: identityOf({ region, clusterId }),
      term: serverTerm,
      votedFor: role === 'undecided' ? null : region,
      leaderOf: role === 'leader' ? serverTerm : term(0),
      base,
      baseConfiguration,
      entries,
      commitIndex: logIndex(Math.max(baseIndex, baseIndex + entries.length - behind)),
    };
  });

test('a register item with a member that is none is refused by name', () => {
  const item = { ...keyItem(registerKey('main')), ...encodeRegister(1, serverWith([])) };
  const voters = { S: 'us-east-1,us-east-2#0' };
  expect(() => decodeRegister({ ...item, voters })).toThrow(/do not make a Raft server/);
});

describe('a register item', () => {
  test('decodes to the very server and revision it was made of', () => {
    fc.assert(
      fc.property(anyServer, fc.integer({ min: 1, max: 2 ** 40 }), (server, revision) => {
        const item = { ...keyItem(registerKey('main')), ...encodeRegister(revision, server) };
        expect(decodeRegister(item)).toEqual({ revision, server });
      }),
      { seed: 20_261_123, numRuns: 300 },
    );
  });

  test('weighs about what the log takes it to weigh: never more, and at most 768 bytes less', () => {
    fc.assert(
      fc.property(anyServer, fc.integer({ min: 1, max: 2 ** 40 }), (server, revision) => {
        const item = { ...keyItem(registerKey('main')), ...encodeRegister(revision, server) };
        expect(itemBytes(item)).toBeLessThanOrEqual(registerBytes(server));
        expect(itemBytes(item)).toBeGreaterThanOrEqual(registerBytes(server) - 768);
      }),
      { seed: 20_261_123, numRuns: 200 },
    );
  });

  test('costs under 400 bytes besides the log', () => {
    const item = { ...keyItem(registerKey('main')), ...encodeRegister(1, serverWith([])) };
    expect(itemBytes(item)).toBeLessThan(400);
  });

  test('costs an entry at most 30 bytes more than its id and its body', () => {
    const [small, large] = [serverWith([]), serverWith(Array(100).fill('x'.repeat(198)))];
    const bytes = itemBytes(encodeRegister(1, large)) - itemBytes(encodeRegister(1, small));
    expect(bytes).toBeLessThan(100 * (200 + 'command-99'.length + 30));
  });
});

test('a beat item decodes to the very beat it was made of', () => {
  const beat = {
    term: term(7),
    leader: regionId('us-west-2'),
    counter: 12,
    commit: { index: logIndex(5), term: term(6) },
  };
  expect(decodeBeat(encodeBeat(beat))).toEqual(beat);
});
