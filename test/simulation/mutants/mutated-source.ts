/**
 * Puts a mutant into the modules that this thread loads from now on.
 *
 * A load hook belongs to one thread, so other threads, and this one before the call, run the code as
 * it stands on disk. Import statically nothing that may be mutated.
 */
import { registerHooks } from 'node:module';
import { editsOf, type Mutant, mutate } from './mutant.ts';

const ROOT = new URL('../../../', import.meta.url);

/** Returns which of the mutant's sources have not been loaded since. */
export function installMutant(mutant: Mutant): () => readonly string[] {
  const open = new Set(editsOf(mutant));
  registerHooks({
    load: (url, context, nextLoad) => {
      const result = nextLoad(url, context);
      const edits = editsOf(mutant).filter(({ file }) => new URL(file, ROOT).href === url);
      if (edits.length === 0) {
        return result;
      }
      const source = edits.reduce(mutate, textOf(result.source));
      for (const edit of edits) {
        open.delete(edit);
      }
      return { ...result, source };
    },
  });
  return () => [...open].map(({ file }) => file);
}

function textOf(source: unknown): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source as Uint8Array);
}
