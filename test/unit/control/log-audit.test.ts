/** Whoever changes, loses or cuts off what was archived is found, and named by index. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { term } from '../../../lib/base/identifiers.ts';
import { auditLog, type LogAudit, type LogPlace } from '../../../lib/control/log-audit.ts';
import { segmentPieces } from '../../../lib/control/log-piece.ts';
import type { Anchor } from '../../../lib/control/log-sweep.ts';
import { MemorySnapshotStore } from '../../support/memory-snapshot-store.ts';
import {
  exported,
  filePlace,
  keepCopy,
  notesLog,
  overwrite,
  placeOf,
  rewritten,
  sha256,
  stored,
} from './archived-log.ts';

const LOG = notesLog(60);
/** Entry 42 says something else, and everything behind it is hashed anew. */
const FORGED = rewritten(LOG, (entry) =>
  entry.index === 42 && entry.command !== null
    ? {
        ...entry,
        command: { ...entry.command, body: { kind: 'review', service: 'forged', at: 1 } },
      }
    : entry,
);
const CHAINS = LOG.applied.map(({ chain }) => chain);
const key = (first: number, last: number) =>
  `log/${String(first).padStart(16, '0')}-${String(last).padStart(16, '0')}.jsonl`;

function audit(places: readonly LogPlace[], known: readonly Anchor[] = []): Promise<LogAudit> {
  return auditLog(places, { sha256, known });
}

describe('an archive that is whole', () => {
  test('is intact up to its last entry, with the link there', async () => {
    const store = await stored(LOG, [20, 25, 60]);
    expect(await audit([placeOf('us-east-1', store)])).toMatchObject({
      outcome: 'intact',
      intactUpTo: 60,
      chain: CHAINS[59],
      breaks: [],
      gaps: [],
      places: [{ name: 'us-east-1', pieces: 3, entries: 60 }],
    });
  });

  test('may lie in several regions, each of which has gaps', async () => {
    const [east, west] = [await stored(LOG, [20, 40, 60]), await stored(LOG, [30, 50])];
    east.lose(key(21, 40));
    const result = await audit([placeOf('us-east-1', east), placeOf('us-west-2', west)]);
    expect(result).toMatchObject({ outcome: 'intact', intactUpTo: 60 });
    expect(result.places.map(({ entries }) => entries)).toEqual([40, 50]);
  });

  test('may hold one entry twice, in segments that two processes wrote at once', async () => {
    const [one, other] = [await stored(LOG, [20, 60]), await stored(LOG, [20, 40, 60])];
    await one.port.put(key(21, 40), new TextEncoder().encode(other.text(key(21, 40))));
    expect(await audit([placeOf('us-east-1', one)])).toMatchObject({
      outcome: 'intact',
      places: [{ entries: 80 }],
    });
  });

  test('is what an exported file says, too', async () => {
    expect(await audit([filePlace(exported(LOG))])).toMatchObject({
      outcome: 'intact',
      intactUpTo: 60,
      chain: CHAINS[59],
    });
  });

  test('is nothing where nothing was archived', async () => {
    const store = new MemorySnapshotStore();
    expect(await audit([placeOf('us-east-1', store)])).toMatchObject({ outcome: 'empty' });
  });
});

describe('an entry that was changed', () => {
  test('is named, with the link that it should have', async () => {
    const store = await stored(LOG, [20, 60]);
    await overwrite(store, key(21, 60), (text) => text.replace('note 33', 'note 34'));
    const result = await audit([placeOf('us-east-1', store)]);
    expect(result).toMatchObject({ outcome: 'broken', intactUpTo: 32, chain: CHAINS[31] });
    expect(result.breaks).toEqual([
      {
        index: 33,
        source: 'us-east-1',
        piece: key(21, 60),
        sentence: 'it does not hash to its link',
        expected: expect.stringMatching(/^[0-9a-f]{64}$/),
        found: CHAINS[32],
        intactIn: null,
      },
    ]);
  });

  test('stands as it was in another region, and the log is intact by that', async () => {
    const [east, west] = [await stored(LOG, [60]), await stored(LOG, [30, 60])];
    await overwrite(east, key(1, 60), (text) => text.replace('note 33', 'note 34'));
    const result = await audit([placeOf('us-east-1', east), placeOf('us-west-2', west)]);
    expect(result).toMatchObject({
      outcome: 'broken',
      intactUpTo: 60,
      breaks: [{ index: 33, source: 'us-east-1', intactIn: 'us-west-2' }],
    });
  });

  test('and all that follow hashed anew, is found by another region', async () => {
    const [east, west] = [await stored(LOG, [60]), await stored(FORGED, [60])];
    const result = await audit([placeOf('us-east-1', east), placeOf('us-west-2', west)]);
    expect(result).toMatchObject({ outcome: 'broken', intactUpTo: 41 });
    expect(result.breaks).toMatchObject([
      { index: 42, source: 'us-west-2', found: FORGED.applied[41]?.chain },
    ]);
  });

  test('and all that follow hashed anew, is found by a copy of the state', async () => {
    const store = await stored(FORGED, [60]);
    await keepCopy(LOG, 60, store);
    const result = await audit([placeOf('us-east-1', store)]);
    expect(result.outcome).toBe('broken');
    expect(result.breaks[0]).toMatchObject({
      index: 60,
      expected: CHAINS[59],
      sentence: 'another log than the copy of the state at 60 in us-east-1',
    });
  });

  test('and all that follow hashed anew, is found by a link that somebody kept', async () => {
    const kept = { index: 50, chain: CHAINS[49] ?? '', origin: 'the link that was given' };
    const result = await audit([filePlace(exported(FORGED))], [kept]);
    expect(result).toMatchObject({ outcome: 'broken', intactUpTo: 49, breaks: [{ index: 50 }] });
  });

  test('so that terms fall is found, however well it is hashed', async () => {
    const fallen = rewritten(LOG, (entry) =>
      entry.index === 50 ? { ...entry, term: term(1) } : entry,
    );
    const result = await audit([filePlace(exported(fallen))]);
    expect(result.breaks[0]).toMatchObject({ index: 50, sentence: 'its term 1 is below 5' });
  });
});

describe('what is lost', () => {
  test('is a gap when no region has it', async () => {
    const store = await stored(LOG, [20, 40, 60]);
    store.lose(key(21, 40));
    expect(await audit([placeOf('us-east-1', store)])).toMatchObject({
      outcome: 'incomplete',
      intactUpTo: 20,
      gaps: [{ from: 21, to: 40 }],
      breaks: [],
    });
  });

  test('is a gap at the beginning, too', async () => {
    const store = await stored(LOG, [20, 60]);
    store.lose(key(1, 20));
    expect(await audit([placeOf('us-east-1', store)])).toMatchObject({
      outcome: 'incomplete',
      intactUpTo: 0,
      chain: null,
      gaps: [{ from: 1, to: 20 }],
    });
  });

  test('does not hide what is broken behind it', async () => {
    const store = await stored(LOG, [20, 40, 60]);
    store.lose(key(21, 40));
    await overwrite(store, key(41, 60), (text) => text.replace('note 55', 'note 56'));
    expect(await audit([placeOf('us-east-1', store)])).toMatchObject({
      outcome: 'broken',
      gaps: [{ from: 21, to: 40 }],
      breaks: [{ index: 55 }],
    });
  });

  test('is told of an object that ends too early, and of one that went while it was looked at', async () => {
    const store = await stored(LOG, [20, 40, 60]);
    await overwrite(store, key(41, 60), (text) => `${text.split('\n').slice(0, 5).join('\n')}\n`);
    expect(await audit([placeOf('us-east-1', store)])).toMatchObject({
      outcome: 'incomplete',
      intactUpTo: 45,
      damages: [{ index: 46, fault: 'cut', detail: 'it should go on to 60' }],
    });
    const place = placeOf('us-east-1', store);
    const found = await segmentPieces('us-east-1', store.port);
    store.lose(key(21, 40));
    expect(await audit([{ ...place, pieces: async () => found }])).toMatchObject({
      outcome: 'incomplete',
      damages: [{ index: 21, fault: 'absent' }, { fault: 'cut' }],
      gaps: [{ from: 21, to: 40 }],
    });
  });

  test('is told of an object that goes on beyond what its name says', async () => {
    const store = await stored(LOG, [20, 60]);
    const [next] = store.text(key(21, 60)).split('\n');
    await overwrite(store, key(1, 20), (text) => `${text}${next}\n`);
    expect(await audit([placeOf('us-east-1', store)])).toMatchObject({
      outcome: 'broken',
      intactUpTo: 60,
      breaks: [{ index: 21, piece: key(1, 20), intactIn: 'us-east-1' }],
    });
  });

  test('is told of a region that does not answer', async () => {
    const [east, west] = [await stored(LOG, [60]), await stored(LOG, [60])];
    west.isAway = true;
    expect(await audit([placeOf('us-east-1', east), placeOf('us-west-2', west)])).toMatchObject({
      outcome: 'incomplete',
      intactUpTo: 60,
      silent: [{ name: 'us-west-2', cause: 'the store is away' }],
    });
  });

  test('is told of a tail that a copy of the state knows', async () => {
    const log = notesLog(180);
    const store = await stored(log, [80, 180]);
    await keepCopy(log, 180, store);
    store.lose(key(81, 180));
    expect(await audit([placeOf('us-east-1', store)])).toMatchObject({
      outcome: 'incomplete',
      intactUpTo: 80,
      missingTail: { upTo: 180, origin: 'the copy of the state at 180 in us-east-1' },
    });
  });

  test('is not told of the entries that wait for the next segment', async () => {
    const log = notesLog(99);
    const store = await stored(log, [10]);
    await keepCopy(log, 99, store);
    expect(await audit([placeOf('us-east-1', store)])).toMatchObject({ outcome: 'intact' });
  });

  test('is told of an entry whose link somebody kept', async () => {
    const store = await stored(LOG, [60]);
    const kept = { index: 61, chain: 'f'.repeat(64), origin: 'the link that was given' };
    expect(await audit([placeOf('us-east-1', store)], [kept])).toMatchObject({
      outcome: 'incomplete',
      missingTail: { upTo: 61, origin: 'the link that was given' },
    });
  });
});

describe('whatever is done to a file', () => {
  const bytes = exported(notesLog(25));
  const isFound = async (changed: Uint8Array) =>
    (await audit([filePlace(changed)])).outcome !== 'intact';

  test('a changed byte is found, wherever it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (place, change) => {
          const changed = bytes.slice();
          changed[place] = ((changed[place] ?? 0) + change) % 256;
          return isFound(changed);
        },
      ),
      { seed: 20_261_123, numRuns: 1000 },
    );
  });

  test.each([
    ['nothing but a line break', '\n'],
    ['half a line', 'x'],
    [
      'the last line once more',
      `${new TextDecoder().decode(bytes).trimEnd().split('\n').at(-1)}\n`,
    ],
    ['the whole file once more', new TextDecoder().decode(bytes)],
  ])('%s behind its end is found', async (_, added) => {
    expect(await isFound(Buffer.concat([bytes, Buffer.from(added)]))).toBe(true);
  });

  test.each([
    ['a blank', '"term":1', '"term": 1'],
    ['a member more', '"term":1', '"by":"me","term":1'],
    ['a member twice', '"term":1', '"term":1,"term":1'],
    ['members in another order', '"index":1,"term":1', '"term":1,"index":1'],
    ['a letter written as an escape', 'command-5', 'c\\u006fmmand-5'],
    ['a number written otherwise', '"index":2,', '"index":2.0,'],
    ['a no-op that says something', '"body":null', '"body":"hello"'],
    ['a no-op with a basis', '"basis":null', '"basis":0'],
    [
      'a change of who votes',
      '"chain"',
      '"configuration":{"voters":[],"outgoing":null,"learners":[]},"chain"',
    ],
    ['a blank in the last line', '"end":true', '"end": true'],
    ['a member more in the last line', '"end":true', '"end":true,"by":"me"'],
    ['a line without a word', '{"end"', '\n{"end"'],
    ['a byte order mark', '{"index":1,', '\ufeff{"index":1,'],
  ])('%s is found, though it may mean the same', async (_, from, to) => {
    const text = new TextDecoder().decode(bytes);
    expect(text).toContain(from);
    expect(await isFound(new TextEncoder().encode(text.replace(from, to)))).toBe(true);
  });

  test('a cut, a piece that is taken out, and a piece that is put in are found', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 400 }),
        fc.uint8Array({ maxLength: 3 }),
        async (place, length, put) => {
          const rest = bytes.slice(place + length);
          const changed = Buffer.concat([bytes.slice(0, place), put, rest]);
          return Buffer.compare(changed, bytes) === 0 || isFound(changed);
        },
      ),
      { seed: 20_261_123, numRuns: 500 },
    );
  });

  test('lines that change places, are doubled or left out are found', async () => {
    const lines = new TextDecoder().decode(bytes).trimEnd().split('\n');
    await fc.assert(
      fc.asyncProperty(fc.nat(24), fc.nat(24), async (from, to) => {
        const swapped = lines.with(from, lines[to] ?? '').with(to, lines[from] ?? '');
        const variants = [
          ...(from === to ? [] : [swapped]),
          lines.toSpliced(to, 0, lines[from] ?? ''),
          lines.toSpliced(from, 1),
        ];
        for (const variant of variants) {
          if (!(await isFound(new TextEncoder().encode(`${variant.join('\n')}\n`)))) {
            return false;
          }
        }
        return true;
      }),
      { seed: 20_261_123, numRuns: 100 },
    );
  });
});

describe('whatever is done to an archive', () => {
  test('a changed byte in any object is found, without the checksum of the store', async () => {
    const log = notesLog(30);
    const keys = (await stored(log, [10, 17, 30])).keys();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...keys),
        fc.nat(),
        fc.integer({ min: 1, max: 127 }),
        async (changedKey, at, change) => {
          const store = await stored(log, [10, 17, 30]);
          const bytes = new TextEncoder().encode(store.text(changedKey));
          const place = at % bytes.length;
          bytes[place] = ((bytes[place] ?? 0) + change) % 256;
          store.lose(changedKey);
          await store.port.put(changedKey, bytes);
          return (await audit([placeOf('us-east-1', store)])).outcome !== 'intact';
        },
      ),
      { seed: 20_261_123, numRuns: 300 },
    );
  });
});
