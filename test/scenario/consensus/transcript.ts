/**
 * A transcript: a story in prose, with commands, and under each command what it answered.
 *
 *     Anything that is not a command is prose.
 *
 *     command argument key=value
 *     ----
 *     the answer, up to the next empty line
 *
 * After `etcd-io/raft`'s datadriven tests. `UPDATE_TRANSCRIPTS=1` rewrites the answers; whoever does
 * so reads the difference.
 */
import { readFileSync, writeFileSync } from 'node:fs';

export interface Command {
  readonly name: string;
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

const SEPARATOR = '----';

/** Whoever answers the commands of one story. */
export interface Teller {
  readonly answer: (command: Command) => Promise<string>;
}

/** The transcript with every answer as the commands give it now. */
export async function replay(text: string, tellerOf: (first: Command) => Teller): Promise<string> {
  const replayed: string[] = [];
  let teller: Teller | null = null;
  for (const paragraph of text.trim().split(/\n{2,}/)) {
    const [line = '', separator] = paragraph.split('\n');
    if (separator === SEPARATOR) {
      const command = parse(line);
      teller ??= tellerOf(command);
      replayed.push(`${line}\n${SEPARATOR}\n${await teller.answer(command)}`);
    } else {
      replayed.push(paragraph);
    }
  }
  return `${replayed.join('\n\n')}\n`;
}

/** The file's text, and that text with the answers of today; rewritten when the environment says so. */
export async function replayFile(
  path: URL,
  tellerOf: (first: Command) => Teller,
): Promise<{ readonly told: string; readonly found: string }> {
  const found = await replay(readFileSync(path, 'utf8'), tellerOf);
  if (process.env['UPDATE_TRANSCRIPTS'] === '1') {
    writeFileSync(path, found);
  }
  return { told: readFileSync(path, 'utf8'), found };
}

function parse(line: string): Command {
  const [name = '', ...rest] = line.split(/\s+/);
  const options = rest.filter((word) => word.includes('='));
  return {
    name,
    words: rest.filter((word) => !word.includes('=')),
    options: new Map(options.map((word) => [word.split('=')[0] ?? '', word.split('=')[1] ?? ''])),
  };
}
