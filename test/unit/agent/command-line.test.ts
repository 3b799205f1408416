import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellWords, splitWords } from '../../../lib/agent/command-line.ts';

const wordsOf = (command: string) => {
  const words = splitWords(command);
  return words.kind === 'words' ? words.words : null;
};

describe('splitWords', () => {
  it.each([
    ['pg_isready -q', ['pg_isready', '-q']],
    ['  /bin/x\t a  ', ['/bin/x', 'a']],
    [`echo 'a b' "c \\" d" e\\ f`, ['echo', 'a b', 'c " d', 'e f']],
    [`echo '' ""`, ['echo', '', '']],
    [`a'b'"c"d`, ['abcd']],
    ['echo a#b x!', ['echo', 'a#b', 'x!']],
    ['run --x=1,2:3@4%5+6/7_8-9.0', ['run', '--x=1,2:3@4%5+6/7_8-9.0']],
    [`echo 'a | b; $c'`, ['echo', 'a | b; $c']],
  ])('reads %s', (command, words) => {
    expect(wordsOf(command)).toEqual(words);
  });

  it.each([
    '',
    '   ',
    "''",
    'a | b',
    'a && b',
    'a; b',
    'a > b',
    'echo $HOME',
    'echo "$HOME"',
    'echo `date`',
    'ls *',
    '~/run',
    "echo 'open",
    'echo "open',
    'echo \\',
    'a\nb',
    '# a',
    'x'.repeat(5000),
  ])('refuses %j, which only a shell could mean', (command) => {
    expect(splitWords(command).kind).toBe('refused');
  });

  it('reads what it takes as a POSIX shell would', () => {
    const piece = fc.constantFrom(
      'a',
      'b c',
      "'x y'",
      '"q\\"r"',
      '\\ ',
      ' ',
      "''",
      '\\$',
      '-n',
      '=',
    );
    const commands = fc.array(piece, { minLength: 1, maxLength: 8 }).map((all) => all.join(''));
    const samples = fc.sample(commands, { numRuns: 60, seed: 20_261_123 }).filter(wordsOf);
    expect(samples.length).toBeGreaterThan(20);
    // One process for all of them: each line gives the words of one command, each ended by a bar.
    const script = samples.map((command) => `printf '%s|' ${command}; echo`).join('\n');
    const lines = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\n');
    for (const [position, command] of samples.entries()) {
      const words = wordsOf(command) ?? [];
      expect(lines[position], command).toBe(words.map((word) => `${word}|`).join(''));
    }
  });
});

describe('shellWords', () => {
  it('hands the command to a shell as it is', () => {
    expect(shellWords('a | b')).toEqual({ kind: 'words', words: ['/bin/sh', '-c', 'a | b'] });
    expect(shellWords(' ').kind).toBe('refused');
  });
});
