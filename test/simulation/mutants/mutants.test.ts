/**
 * The harness of the mutants: that every mutant still fits the source, and that a hunt can end either
 * way. Whether lives find all of them out is the business of `npm run simulate -- --seeds 2000`.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MUTANTS } from './catalogue.ts';
import { EQUIVALENT_MUTANTS } from './equivalent-mutants.ts';
import { hunt } from './hunt.ts';
import { KNOWN_SEEDS } from './known-seeds.ts';
import { editsOf, type Mutant, mutate } from './mutant.ts';

const ROOT = new URL('../../../', import.meta.url);
const ALL: readonly Mutant[] = [...MUTANTS, ...EQUIVALENT_MUTANTS];

/** Half of the members is enough: about the worst that can happen to a consensus. */
const BROKEN_QUORUM: Mutant = {
  name: 'broken-quorum-twin',
  file: 'lib/consensus/quorum.ts',
  find: 'Math.floor(memberCount / 2) + 1',
  replace: 'Math.floor(memberCount / 2)',
  why: 'A control that must be caught.',
};

/** Lives of the controls: enough to catch the broken quorum, few enough for a test. */
const SEEDS = 2;

describe('a mutant', () => {
  test.each(ALL.flatMap((mutant) => editsOf(mutant).map((edit) => ({ ...edit, of: mutant.name }))))(
    '$of still fits $file',
    (edit) => {
      const source = readFileSync(new URL(edit.file, ROOT), 'utf8');
      expect(mutate(source, edit)).not.toBe(source);
    },
  );

  test('that lives found out before is still among them', () => {
    const names = new Set(MUTANTS.map(({ name }) => name));
    expect(Object.keys(KNOWN_SEEDS).filter((name) => !names.has(name))).toEqual([]);
  });

  test('has a name of its own', () => {
    expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
  });

  test('replaces its text literally, whatever signs it holds', () => {
    const edit = { file: 'any.ts', find: 'a.b', replace: "$&-$'" };
    expect(mutate('x a.b y', edit)).toBe("x $&-$' y");
  });

  test.each([
    ['does not stand', 'mutant-not-found', 'nowhere'],
    ['stands twice', 'mutant-ambiguous', 'same'],
  ])('whose text %s in the source fails loudly', (_, code, find) => {
    const edit = { file: 'any.ts', find, replace: '' };
    expect(() => mutate('same and same', edit)).toThrow(expect.objectContaining({ code }));
  });
});

describe('a hunt', () => {
  test('finds out a broken quorum, and says what it broke', async () => {
    const result = await hunt({ mutant: BROKEN_QUORUM, firstSeed: 1, seeds: SEEDS });
    expect(result).toMatchObject({ kind: 'caught-by-life', name: BROKEN_QUORUM.name });
    expect(result.kind === 'caught-by-life' && result.violation).toMatch(
      /minority|diverge|two-leaders/,
    );
  });

  test('lets a mutant survive that changes nothing', async () => {
    const mutant = { ...BROKEN_QUORUM, replace: BROKEN_QUORUM.find };
    const result = await hunt({ mutant, firstSeed: 1, seeds: SEEDS });
    expect(result).toEqual({ kind: 'survived', name: mutant.name, tries: SEEDS });
  });

  test('is refused when the text is not in the source', async () => {
    const mutant = { ...BROKEN_QUORUM, find: 'Math.ceil(memberCount' };
    const refusal = expect.objectContaining({ code: 'mutant-not-found' });
    await expect(hunt({ mutant, firstSeed: 1, seeds: 1 })).rejects.toEqual(refusal);
  });

  test('is refused when the source is not part of a life', async () => {
    const mutant = { ...BROKEN_QUORUM, file: 'lib/consensus/bootstrap.ts', find: 'missing' };
    const refusal = expect.objectContaining({ code: 'mutant-not-loaded' });
    await expect(hunt({ mutant, firstSeed: 1, seeds: 1 })).rejects.toEqual(refusal);
  });
});
