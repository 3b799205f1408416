import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../lib/cli/program.ts';
import { renderCliPage } from './cli-page.ts';
import { expectGeneratedPage } from './generated-page.ts';

const PAGE = renderCliPage();

describe('docs/cli.md', () => {
  test('says what the commands say of themselves', () => {
    expectGeneratedPage('docs/cli.md', PAGE);
  });

  test('shows examples for every command that does something', () => {
    const sections = PAGE.split('\n### ').slice(1);
    const acting = sections.filter(
      (section) => !/^tripoint (token|local|region|maintenance)\n/.test(section),
    );
    expect(acting.length).toBeGreaterThan(15);
    expect(acting.filter((section) => !section.includes('```text\nExamples:'))).toEqual([]);
  });

  test('shows only examples whose words the program knows', () => {
    const program = createProgram(() => Promise.resolve());
    const lines = [...PAGE.matchAll(/^ {2}(?:source <\()?tripoint ([a-z]+)/gm)];
    const known = new Set(program.commands.map((command) => command.name()));
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.filter(([, word = '']) => !known.has(word))).toEqual([]);
  });
});

/** Commands in pages that people write, with something in place of each `<name>`. */
const WRITTEN = ['README.md', 'docs/runbook.md'].flatMap((page) =>
  [
    ...readFileSync(page, 'utf8')
      .replaceAll(/\s+/g, ' ')
      .matchAll(/`(tripoint [a-z][^`]*)`/g),
  ]
    .map(([, command = '']) => command.replaceAll(/<[a-z]+>/g, 'checkout'))
    .filter((command) => command.includes(' --') && !/[…<|]| N |FILE/.test(command))
    .map((command) => [page, command] as const),
);
const EXAMPLES = [...PAGE.matchAll(/^ {2}(tripoint [a-z][^\n|>]*)$/gm)].map(
  ([, command = '']) => ['docs/cli.md', command] as const,
);

describe('a command that a page shows', () => {
  test.each([...EXAMPLES, ...WRITTEN])(
    'is one that the program takes: %s: %s',
    async (_, command) => {
      const reached: string[] = [];
      const program = createProgram((found) => {
        reached.push(found.name());
        return Promise.resolve();
      });
      const words = [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
        ([, double, single, bare]) => double ?? single ?? bare,
      );
      await program.parseAsync(words.slice(1) as string[], { from: 'user' });
      expect(reached).toHaveLength(1);
    },
  );

  test('stands in each of those pages', () => {
    const pages = new Set([...EXAMPLES, ...WRITTEN].map(([page]) => page));
    expect(pages.size).toBe(3);
    expect(WRITTEN.length).toBeGreaterThan(12);
  });
});

describe('package.json', () => {
  test('names the launcher that the page speaks of', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(manifest.bin).toEqual({ tripoint: 'lib/cli/launch.mjs' });
    expect(manifest.scripts.tripoint).toBe('node lib/cli/main.ts');
  });
});
