/**
 * Completion scripts for shells, from the tree of commands.
 *
 * The scripts are static text: completing a word starts no process and asks no server, so a slow
 * network never makes a prompt hang.
 */

export interface CommandNode {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionNode[];
  readonly commands: readonly CommandNode[];
}

export interface OptionNode {
  /** `--json`. */
  readonly long: string;
  readonly description: string;
  readonly takesValue: boolean;
}

export type Shell = 'bash' | 'zsh' | 'fish';

export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

export function renderCompletion(shell: Shell, root: CommandNode): string {
  switch (shell) {
    case 'bash':
      return bashScript(root);
    case 'zsh':
      return `#compdef ${root.name}\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(root)}`;
    case 'fish':
      return fishScript(root);
  }
}

interface Place {
  /** Words that lead here, e.g. `local kill`; empty at the root. */
  readonly words: string;
  readonly node: CommandNode;
}

function placesOf(node: CommandNode, words: readonly string[] = []): readonly Place[] {
  return [
    { words: words.join(' '), node },
    ...node.commands.flatMap((child) => placesOf(child, [...words, child.name])),
  ];
}

/** Words of the path are those that are no options, up to the first that is no command. */
function bashScript(root: CommandNode): string {
  const cases = placesOf(root).map(({ words, node }) => {
    const candidates = [
      ...node.commands.map(({ name }) => name),
      ...[...node.options, ...root.options].map(({ long }) => long),
    ];
    return `    "${words}") candidates="${[...new Set(candidates)].join(' ')}" ;;`;
  });
  const paths = placesOf(root).map(({ words }) => `"${words}"`);
  return `_${root.name}() {
  local word="\${COMP_WORDS[COMP_CWORD]}" path="" next index candidates=""
  for ((index = 1; index < COMP_CWORD; index++)); do
    next="\${path:+$path }\${COMP_WORDS[index]}"
    case "$next" in
      ${paths.slice(1).join('|')}) path="$next" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$word"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -F _${root.name} ${root.name}
`;
}

function fishScript(root: CommandNode): string {
  const lines = placesOf(root).flatMap(({ words, node }) => {
    const condition = fishCondition(words, node);
    const commands = node.commands.map(
      ({ name, description }) =>
        `complete -c ${root.name} -f -n ${condition} -a ${name} -d ${fishText(description)}`,
    );
    const options = node.options.map(({ long, description, takesValue }) => {
      const value = takesValue ? ' -r' : '';
      const scope = words === '' ? '' : ` -n ${condition}`;
      return `complete -c ${root.name}${scope} -l ${long.slice(2)}${value} -d ${fishText(description)}`;
    });
    return [...commands, ...options];
  });
  return `${lines.join('\n')}\n`;
}

function fishCondition(words: string, { commands }: CommandNode): string {
  const last = words.split(' ').at(-1) ?? '';
  const names = commands.map(({ name }) => name).join(' ');
  const inside = words === '' ? '' : `__fish_seen_subcommand_from ${last}`;
  const before = names === '' ? '' : `not __fish_seen_subcommand_from ${names}`;
  return `'${[inside, before].filter((part) => part !== '').join('; and ')}'`;
}

function fishText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
