/** The replica as a value: same entries, same replica; exactly once; tampering shows. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandId, logIndex, term } from '../../../lib/base/identifiers.ts';
import type { JsonValue } from '../../../lib/base/json.ts';
import {
  applyEntries,
  bodyDigest,
  decodeReplica,
  emptyReplica,
  encodeReplica,
  isExpired,
  type Replica,
} from '../../../lib/consensus/replica.ts';
import type { Entry } from '../../../lib/consensus/server.ts';
import { listSessions, sessionOf } from '../../../lib/consensus/sessions.ts';
import { LIST_MACHINE, sha256 } from './processes.ts';

const SEEDED = { seed: 20_261_123, numRuns: 200 };
const WINDOW = 5;

type List = Replica<readonly JsonValue[]>;

function apply(entries: readonly Entry[], from: List = emptyReplica(LIST_MACHINE)): List {
  const application = { machine: LIST_MACHINE, sha256, sessionWindowEntries: WINDOW };
  return applyEntries(from, entries, application).replica;
}

function entryOf(
  index: number,
  id: string | null,
  { basis = 0, body = id as JsonValue } = {},
): Entry {
  const command = id === null ? null : { id: commandId(id), basis: logIndex(basis), body };
  return { index: logIndex(index), term: term(1), command };
}

/** Entries from a list of names; null is a no-op. Each knows of all that came before. */
function logOf(names: readonly (string | null)[]): readonly Entry[] {
  return names.map((id, place) => entryOf(place + 1, id, { basis: place }));
}

const ids = fc.array(fc.constantFrom('a', 'b', 'c', 'd', null), { maxLength: 24 });

describe('applying', () => {
  test('in any portions gives the same replica, down to the hash', () => {
    fc.assert(
      fc.property(ids, fc.nat(24), (log, cut) => {
        const entries = logOf(log);
        const inTwo = apply(entries.slice(cut), apply(entries.slice(0, cut)));
        expect(inTwo).toEqual(apply(entries));
      }),
      SEEDED,
    );
  });

  test('over a snapshot gives the same replica as without one', () => {
    fc.assert(
      fc.property(ids, fc.nat(24), (log, cut) => {
        const entries = logOf(log);
        const snapshot = encodeReplica(apply(entries.slice(0, cut)));
        const restored = decodeReplica<readonly JsonValue[]>(snapshot);
        expect(apply(entries.slice(cut), restored)).toEqual(apply(entries));
        expect(encodeReplica(restored)).toBe(snapshot);
      }),
      SEEDED,
    );
  });

  test('out of order, or with a gap, stops', () => {
    expect(() => apply([entryOf(2, 'a')])).toThrow('apply-out-of-order');
    expect(() => apply([entryOf(1, 'a')], apply([entryOf(1, 'a')]))).toThrow('apply-out-of-order');
  });

  test('leaves the replica that went in as it was', () => {
    const before = apply(logOf(['a']));
    const copy = structuredClone(before);
    apply([entryOf(2, 'b', { basis: 1 })], before);
    expect(before).toEqual(copy);
  });
});

describe('exactly once', () => {
  test('an id applied within the window is not applied again, and its answer stands', () => {
    const once = apply(logOf(['a']));
    const twice = apply([entryOf(2, 'a', { basis: 1 })], once);
    expect(twice.state).toEqual(['a']);
    const session = sessionOf(once.sessions, commandId('a'));
    expect(session).not.toBeNull();
    expect(sessionOf(twice.sessions, commandId('a'))).toEqual(session);
  });

  test('holds for copies with the basis of the first, however late they come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }), (places) => {
        // Copies of `x` at random places of a long log, all with the basis of the first.
        const log = Array.from({ length: 31 }, (_, place) =>
          places.includes(place)
            ? entryOf(place + 1, 'x', { basis: Math.min(...places) })
            : entryOf(place + 1, `other-${place}`, { basis: place }),
        );
        expect(apply(log).state.filter((body) => body === 'x')).toHaveLength(1);
      }),
      SEEDED,
    );
  });

  test('a copy that comes after the window is refused unseen, and says that it was', () => {
    const filler = Array.from({ length: WINDOW + 1 }, (_, place) => `f${place}`);
    const late = entryOf(WINDOW + 2, 'x', { basis: 0 });
    const replica = apply([...logOf(filler), late]);
    expect(replica.state).not.toContain('x');
    const session = sessionOf(replica.sessions, commandId('x'));
    expect(session && isExpired(session)).toBe(true);
  });

  test('a copy at the very end of the window is still applied', () => {
    const filler = Array.from({ length: WINDOW - 1 }, (_, place) => `f${place}`);
    const last = entryOf(WINDOW, 'x', { basis: 0 });
    expect(apply([...logOf(filler), last]).state).toContain('x');
  });

  test('is remembered for the window and no longer, so that memory is bounded', () => {
    const replica = apply(logOf(Array.from({ length: 100 }, (_, place) => `c${place}`)));
    expect(listSessions(replica.sessions).map(([id]) => id)).toEqual(
      Array.from({ length: WINDOW + 1 }, (_, place) => `c${100 - WINDOW - 1 + place}`),
    );
  });
});

describe('the hash chain', () => {
  const bodies = fc.array(fc.jsonValue(), { minLength: 1, maxLength: 8 });
  const logWith = (list: readonly unknown[]) =>
    list.map((body, place) =>
      entryOf(place + 1, `c${place}`, { body: JSON.parse(JSON.stringify(body)) as JsonValue }),
    );

  test('changes when any past entry is altered in any part', () => {
    const tampering: readonly ((entry: Entry) => Entry)[] = [
      (entry) => ({ ...entry, term: term(entry.term + 1) }),
      (entry) => ({ ...entry, command: null }),
      (entry) => entryOf(entry.index, 'another', { body: entry.command?.body ?? null }),
      (entry) => entryOf(entry.index, entry.command?.id ?? '', { body: { was: 'altered' } }),
      (entry) =>
        entryOf(entry.index, entry.command?.id ?? '', {
          body: entry.command?.body ?? null,
          basis: 1,
        }),
    ];
    fc.assert(
      fc.property(bodies, fc.nat(), fc.constantFrom(...tampering), (list, at, tamper) => {
        const log = logWith(list);
        const place = at % log.length;
        const altered = log.map((entry, i) => (i === place ? tamper(entry) : entry));
        expect(apply(altered).chain).not.toBe(apply(log).chain);
      }),
      SEEDED,
    );
  });

  test('changes when an entry is left out, and when two change places', () => {
    const renumbered = (list: readonly Entry[]) =>
      list.map((entry, place) => ({ ...entry, index: logIndex(place + 1) }));
    const log = logWith(['a', 'b', 'c']);
    const { chain } = apply(log);
    expect(apply(renumbered(log.slice(0, 2))).chain).not.toBe(chain);
    expect(
      apply(renumbered([log[1], log[0], log[2]].filter((e) => e !== undefined))).chain,
    ).not.toBe(chain);
  });

  test('does not depend on the order in which a body was put together', () => {
    const left = apply([entryOf(1, 'a', { body: { x: 1, y: 2 } })]);
    const right = apply([entryOf(1, 'a', { body: { y: 2, x: 1 } })]);
    expect(left.chain).toBe(right.chain);
  });
});

describe('the digest of a body', () => {
  test('ignores when it was stamped, and nothing else', () => {
    const digest = (body: JsonValue) => bodyDigest(body, sha256);
    expect(digest({ kind: 'x', at: 1 })).toBe(digest({ kind: 'x', at: 2 }));
    expect(digest({ kind: 'x', at: 1 })).not.toBe(digest({ kind: 'y', at: 1 }));
    expect(digest({ inner: { at: 1 } })).not.toBe(digest({ inner: { at: 2 } }));
  });

  test('takes a list for a list, which has a method called at', () => {
    expect(bodyDigest(['a'], sha256)).not.toBe(bodyDigest({ 0: 'a', at: 7 }, sha256));
  });
});
