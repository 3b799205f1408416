/**
 * A command as somebody wrote it, as the words that a process is started with.
 *
 * Commands are started without a shell: nothing in them is expanded, so a value that came from
 * elsewhere cannot become a command of its own. Quotes and backslashes group words as in a shell.
 * What only a shell could mean (pipes, variables, `&&`) is refused and not passed on as a word,
 * because a check that runs `pgrep` with the argument `|` fails for years without being noticed.
 */

export type Words =
  | { readonly kind: 'words'; readonly words: readonly [string, ...string[]] }
  | { readonly kind: 'refused'; readonly detail: string };

const COMMAND_CHARACTERS_MAX = 4096;

/** One unit of a word: quoted text, an escaped character, plain text, or what needs a shell. */
const UNIT =
  /'(?<single>[^']*)'|"(?<double>(?:[^"\\$`]|\\.)*)"|\\(?<escaped>[^\n])|(?<space>[ \t]+)|(?<plain>[^\s'"\\|&;<>()$`*?[\]{}#~!]+|(?<=\S)[#~!])/y;

export function splitWords(command: string): Words {
  if (command.length > COMMAND_CHARACTERS_MAX) {
    return refused(`the command is longer than ${COMMAND_CHARACTERS_MAX} characters`);
  }
  const words: string[] = [];
  let word: string | null = null;
  for (let position = 0; position < command.length; position = UNIT.lastIndex) {
    UNIT.lastIndex = position;
    const groups = UNIT.exec(command)?.groups;
    if (groups === undefined) {
      return refused(
        `${JSON.stringify(command.slice(position, position + 10))} needs a shell; ask for one, or quote it`,
      );
    }
    if (groups['space'] === undefined) {
      word = `${word ?? ''}${textOf(groups)}`;
    } else if (word !== null) {
      words.push(word);
      word = null;
    }
  }
  const [file, ...rest] = word === null ? words : [...words, word];
  return file === undefined || file === ''
    ? refused('the command is empty')
    : { kind: 'words', words: [file, ...rest] };
}

/** What a POSIX shell is started with to run the command as it is written. */
export function shellWords(command: string): Words {
  return command.trim() === ''
    ? refused('the command is empty')
    : { kind: 'words', words: ['/bin/sh', '-c', command] };
}

function textOf(groups: { readonly [name: string]: string | undefined }): string {
  const { single, double, escaped, plain } = groups;
  return single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '';
}

function refused(detail: string): Words {
  return { kind: 'refused', detail };
}
