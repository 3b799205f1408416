/**
 * A mutant: the production code with one small bug put in, as a text that replaces another.
 *
 * A test that no mutant can fail proves nothing, so the simulation is tested by mutants: each must be
 * found out by seeded lives. They change the text of the real source while it is loaded
 * (`mutated-source.ts`); nothing in `lib` knows of them.
 */
import { AppError } from '../../../lib/base/errors.ts';

/** One place in one source. */
export interface Edit {
  /** The source, from the root of the repository. */
  readonly file: string;
  /** Text that stands in the source exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant extends Edit {
  /** Kebab-case, unique: what the mutant does wrong. */
  readonly name: string;
  /** What goes wrong then, and where the bug is known from. */
  readonly why: string;
  /** Further places, where one net would hide that another is gone. */
  readonly and?: readonly Edit[];
  /** The file of unit tests that hunts it, where no life can; then `why` says why none can. */
  readonly tests?: string;
}

export function editsOf(mutant: Mutant): readonly Edit[] {
  return [mutant, ...(mutant.and ?? [])];
}

/**
 * The source with the bug in it.
 *
 * @throws AppError `mutant-not-found` or `mutant-ambiguous` when the source was changed, so that the
 * edit no longer says where its bug belongs.
 */
export function mutate(source: string, { file, find, replace }: Edit): string {
  const places = source.split(find).length - 1;
  if (places !== 1) {
    throw new AppError(`this text stands ${places} times in ${file}: ${find}`, {
      code: places === 0 ? 'mutant-not-found' : 'mutant-ambiguous',
      hint: 'The source has changed: make the mutant fit again, so that the same bug is tried.',
      retryable: false,
    });
  }
  return source.replace(find, () => replace);
}
