/**
 * What each replica applied, kept so that it survives the process: a file for each, a line for each
 * entry, with the hash chain after it and whether its command took effect there.
 *
 * Written without a buffer of our own before anybody can hear of the entry, so `kill -9` loses nothing; a
 * last line that was cut off is left out.
 */
import { openSync, writeSync } from 'node:fs';
import type { AppliedEntry } from '../../lib/consensus/replica.ts';

export interface JournalEntry {
  readonly index: number;
  readonly term: number;
  readonly chain: string;
  /** Of its command; null = an entry of the log's own. */
  readonly id: string | null;
  /** Whether the state machine was asked to apply it here: not for a second copy. */
  readonly tookEffect: boolean;
}

export interface EntryJournal {
  readonly append: (applied: readonly AppliedEntry[], effects: ReadonlySet<number>) => void;
}

export function openEntryJournal(file: string): EntryJournal {
  const descriptor = openSync(file, 'a');
  return {
    append: (applied, effects) => {
      const lines = applied.map(({ entry, chain }) => lineOf(entry, chain, effects));
      if (lines.length > 0) {
        writeSync(descriptor, lines.join(''));
      }
    },
  };
}

function lineOf(
  { index, term, command }: AppliedEntry['entry'],
  chain: string,
  effects: ReadonlySet<number>,
): string {
  const id = command?.id ?? null;
  const entry: JournalEntry = { index, term, chain, id, tookEffect: effects.has(index) };
  return `${JSON.stringify(entry)}\n`;
}

/** The whole lines of a file that its writer may have been killed over. */
export function wholeLines<Line>(text: string): readonly Line[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}
