import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CommandId, commandId, logIndex, term } from '../../../lib/base/identifiers.ts';
import {
  listSessions,
  NO_SESSIONS,
  remember,
  type Session,
  type Sessions,
  sessionOf,
} from '../../../lib/consensus/sessions.ts';

const SEEDED = { seed: 20_261_123, numRuns: 200 };

function sessionAt(index: number): Session {
  return { index: logIndex(index), term: term(1), digest: `d${index}`, result: index };
}

/** Batches of entries, each a name or a gap, and a window. */
const histories = fc.record({
  windowEntries: fc.integer({ min: 0, max: 400 }),
  batches: fc.array(fc.array(fc.option(fc.nat(600)), { maxLength: 150 }), { maxLength: 12 }),
});

type History = typeof histories extends fc.Arbitrary<infer Value> ? Value : never;

/** As `applyEntries` does it: an id that is remembered is not added again. */
function played({ windowEntries, batches }: History, cut = (sessions: Sessions) => sessions) {
  const naive = new Map<CommandId, Session>();
  let sessions = NO_SESSIONS;
  let index = 0;
  for (const batch of batches) {
    const added = new Map<CommandId, Session>();
    for (const name of batch) {
      index += 1;
      for (const [id, session] of naive) {
        if (session.index < index - windowEntries) {
          naive.delete(id);
        }
      }
      const id = commandId(`c${name}`);
      if (name !== null && !naive.has(id)) {
        naive.set(id, sessionAt(index));
        added.delete(id);
        added.set(id, sessionAt(index));
      }
    }
    sessions = cut(remember(sessions, added, index - windowEntries));
  }
  return { naive, sessions };
}

test('sessions hold what one map with a window would hold, in its order', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const { naive, sessions } = played(history);
      expect(listSessions(sessions)).toEqual([...naive]);
      for (let name = 0; name <= 600; name += 7) {
        const id = commandId(`c${name}`);
        expect(sessionOf(sessions, id)).toEqual(naive.get(id) ?? null);
      }
    }),
    SEEDED,
  );
});

test('sessions restored from their list are the same value, and go on the same way', () => {
  const restored = (sessions: Sessions) => remember(NO_SESSIONS, listSessions(sessions), 0);
  fc.assert(
    fc.property(histories, (history) => {
      expect(played(history, restored).sessions).toEqual(played(history).sessions);
    }),
    SEEDED,
  );
});

test('a batch leaves the sessions before it as they were, and shares what it did not touch', () => {
  const ids = Array.from({ length: 600 }, (_, place) => commandId(`c${place}`));
  const before = remember(
    NO_SESSIONS,
    ids.map((id, place) => [id, sessionAt(place + 1)] as const),
    0,
  );
  const copy = structuredClone(before);
  const after = remember(before, [[commandId('new'), sessionAt(601)]], 10);
  expect(before).toEqual(copy);
  expect(after.slice(1, -1)).toEqual(before.slice(1, -1));
  expect(after.slice(1, -1).every((generation, place) => generation === before[place + 1])).toBe(
    true,
  );
});
