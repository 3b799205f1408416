import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { type CommandNode, renderCompletion } from '../../../../lib/cli/render/completion.ts';

function node(
  name: string,
  commands: readonly CommandNode[] = [],
  options: readonly string[] = [],
): CommandNode {
  return {
    name,
    description: `the ${name}'s description`,
    options: options.map((long) => ({ long, description: long, takesValue: long === '--to' })),
    commands,
  };
}

const ROOT = node(
  'tripoint',
  [
    node('status', [], ['--watch']),
    node('local', [node('kill'), node('start')]),
    node('failover', [], ['--to']),
  ],
  ['--json'],
);

/** What bash offers for the last of these words. */
function complete(...words: readonly string[]): readonly string[] {
  const script = `${renderCompletion('bash', ROOT)}
COMP_WORDS=(${['tripoint', ...words].map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length}
_tripoint
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
}

describe('the script for bash', () => {
  test.each([
    [['st'], ['status']],
    [
      ['local', ''],
      ['kill', 'start', '--json'],
    ],
    [['local', 'k'], ['kill']],
    [['--json', 'local', 'k'], ['kill']],
    [['status', '--w'], ['--watch']],
    [
      ['failover', 'checkout', '--'],
      ['--to', '--json'],
    ],
  ])('completes %j to %j', (words, candidates) => {
    expect(complete(...words)).toEqual(candidates);
  });
});

describe('the script for zsh', () => {
  test('is the same one, in the emulation of bash', () => {
    expect(renderCompletion('zsh', ROOT)).toContain(renderCompletion('bash', ROOT));
    expect(renderCompletion('zsh', ROOT)).toMatch(/^#compdef tripoint\n/);
  });
});

describe('the script for fish', () => {
  test('scopes commands and options, and escapes descriptions', () => {
    expect(renderCompletion('fish', ROOT).split('\n')).toEqual(
      expect.arrayContaining([
        "complete -c tripoint -l json -d '--json'",
        "complete -c tripoint -f -n 'not __fish_seen_subcommand_from status local failover' -a status -d 'the status\\'s description'",
        "complete -c tripoint -f -n '__fish_seen_subcommand_from local; and not __fish_seen_subcommand_from kill start' -a kill -d 'the kill\\'s description'",
        "complete -c tripoint -n '__fish_seen_subcommand_from failover' -l to -r -d '--to'",
      ]),
    );
  });
});
