/**
 * A page of `docs/` that a program writes: compared in tests, rewritten with `UPDATE_DOCS=1`.
 *
 * A generated page cannot drift from the code, and its diff is reviewed like code.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';

/** The same for a JSON file, whose white space is the formatter's business. */
export function expectGeneratedJson(path: string, value: object): void {
  const read = (): unknown => JSON.parse(readFileSync(path, 'utf8'));
  if (process.env['UPDATE_DOCS'] === '1' && !isDeepStrictEqual(read(), value)) {
    writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
  }
  expect(read(), outOfDate(path)).toEqual(value);
}

function outOfDate(path: string): string {
  return `${path} is out of date: run UPDATE_DOCS=1 npm test -- test/docs && npm run fix`;
}

/** Compares the file with `text`, or writes it when the environment says `UPDATE_DOCS=1`. */
export function expectGeneratedPage(path: string, text: string): void {
  if (process.env['UPDATE_DOCS'] === '1') {
    writeFileSync(path, text);
  }
  const stored = readFileSync(path, 'utf8');
  expect(stored, outOfDate(path)).toBe(text);
}

/** A Markdown table, aligned as the formatter aligns it; cells cannot break out of it. */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const table = [header, ...rows].map((cells) =>
    cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')),
  );
  const widths = header.map((_, column) =>
    Math.max(...table.map((cells) => (cells[column] ?? '').length)),
  );
  const lines = table.map(
    (cells) =>
      `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}
