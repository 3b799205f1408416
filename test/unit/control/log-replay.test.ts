/** The state after any entry comes out of the archive as it was, or not at all. */
import { describe, expect, test } from 'vitest';
import { stateAt } from '../../../lib/control/log-replay.ts';
import { OBSERVERS } from '../../support/service-states.ts';
import {
  exported,
  failoverStory,
  filePlace,
  keepCopy,
  logOf,
  overwrite,
  placeOf,
  sha256,
  stored,
} from './archived-log.ts';

const STORY = failoverStory();
const LOG = logOf(STORY);
const COUNT = LOG.applied.length;
const at = (index: number) => ({ index, founders: OBSERVERS, sha256 });

describe('the state after an entry', () => {
  test('is the one that the replica had, after each of them', async () => {
    const place = placeOf('us-east-1', await stored(LOG, [5, 9, COUNT]));
    expect(COUNT).toBeGreaterThan(15);
    for (let index = 1; index <= COUNT; index += 1) {
      const found = await stateAt([place], at(index));
      expect(found).toEqual({
        kind: 'found',
        entry: expect.objectContaining({ index }),
        replica: LOG.replicas[index],
        replayedAfter: 0,
      });
    }
  });

  test('is the same when a copy of the state saves half of the way', async () => {
    const store = await stored(LOG, [5, 9, COUNT]);
    await keepCopy(LOG, 7, store);
    await keepCopy(LOG, 12, store);
    const place = placeOf('us-east-1', store);
    const found = await stateAt([place], at(12));
    expect(found).toMatchObject({ kind: 'found', replayedAfter: 7 });
    expect(found.kind === 'found' && found.replica).toEqual(LOG.replicas[12]);
    expect(await stateAt([place], at(13))).toMatchObject({ replayedAfter: 12 });
    store.lose('log/0000000000000001-0000000000000005.jsonl');
    expect(await stateAt([place], at(9))).toMatchObject({ kind: 'found', replayedAfter: 7 });
  });

  test('begins with an older copy when the newest cannot be read', async () => {
    const store = await stored(LOG, [COUNT]);
    await keepCopy(LOG, 7, store);
    await keepCopy(LOG, 12, store);
    await overwrite(store, 'state/0000000000000012.json', () => 'not a state');
    expect(await stateAt([placeOf('us-east-1', store)], at(14))).toMatchObject({
      kind: 'found',
      replayedAfter: 7,
    });
  });

  test('comes out of an exported file', async () => {
    expect(await stateAt([filePlace(exported(LOG))], at(10))).toMatchObject({
      kind: 'found',
      replica: { applied: { index: 10 }, chain: LOG.applied[9]?.chain },
    });
  });
});

describe('no state comes out', () => {
  test('of an archive that was changed before the entry, and all of it of one changed behind', async () => {
    const store = await stored(LOG, [5, COUNT]);
    await overwrite(store, store.keys()[1] ?? '', (text) =>
      text.replace('"command-10"', '"command-0"'),
    );
    const place = placeOf('us-east-1', store);
    expect(await stateAt([place], at(12))).toMatchObject({
      kind: 'broken',
      sweep: { breaks: [{ index: 10 }] },
    });
    expect(await stateAt([place], at(9))).toMatchObject({ kind: 'found' });
  });

  test('when the copy below belongs to another log', async () => {
    const store = await stored(LOG, [COUNT]);
    const replica = LOG.replicas[7];
    const replicas = replica === undefined ? [] : [{ ...replica, chain: 'f'.repeat(64) }];
    await keepCopy({ ...LOG, replicas }, 7, store);
    expect(await stateAt([placeOf('us-east-1', store)], at(9))).toMatchObject({
      kind: 'broken',
      sweep: { breaks: [{ index: 8 }] },
    });
  });

  test('of entries that are not archived yet, or no longer, or that are lost', async () => {
    const store = await stored(LOG, [5, 9, COUNT]);
    const place = placeOf('us-east-1', store);
    expect(await stateAt([place], at(COUNT + 1))).toEqual({ kind: 'beyond', last: COUNT });
    expect(await stateAt([filePlace(exported(LOG))], at(COUNT + 1))).toEqual({
      kind: 'beyond',
      last: COUNT,
    });
    store.lose('log/0000000000000006-0000000000000009.jsonl');
    expect(await stateAt([place], at(12))).toMatchObject({
      kind: 'broken',
      sweep: { gaps: [{ from: 6, to: 9 }] },
    });
    store.lose('log/0000000000000001-0000000000000005.jsonl');
    expect(await stateAt([place], at(4))).toEqual({ kind: 'before', first: 10 });
  });

  test('when the regions that answer do not have it, and another does not answer', async () => {
    const [east, west] = [await stored(LOG, [5]), await stored(LOG, [COUNT])];
    const places = [placeOf('us-east-1', east), placeOf('us-west-2', west)];
    west.isAway = true;
    expect(await stateAt(places, at(5))).toMatchObject({ kind: 'found' });
    expect(await stateAt(places, at(6))).toEqual({
      kind: 'silent',
      silent: [{ name: 'us-west-2', cause: 'the store is away' }],
    });
  });

  test('where nothing is archived', async () => {
    const store = await stored({ ...LOG, applied: [] }, []);
    expect(await stateAt([placeOf('us-east-1', store)], at(1))).toEqual({ kind: 'empty' });
  });
});
