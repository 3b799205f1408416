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

describe('package.json', () => {
  test('names the launcher that the page speaks of', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(manifest.bin).toEqual({ tripoint: 'lib/cli/launch.mjs' });
    expect(manifest.scripts.tripoint).toBe('node lib/cli/main.ts');
  });
});
