import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { COLOURED, PLAIN, printable } from '../../../../lib/cli/render/style.ts';
import { cell, renderTable } from '../../../../lib/cli/render/table.ts';

const TABLE = {
  header: ['site', 'state'],
  rows: [
    [cell('us-east-1', 'strong'), cell('● healthy', 'good')],
    [cell('eu'), cell('✖ failed', 'bad')],
  ],
};

describe('renderTable', () => {
  test('aligns columns and leaves no space at the ends of lines', () => {
    expect(renderTable(TABLE, PLAIN)).toEqual([
      'site       state',
      'us-east-1  ● healthy',
      'eu         ✖ failed',
    ]);
  });

  test('is aligned alike in colour', () => {
    const uncoloured = renderTable(TABLE, COLOURED).map(stripVTControlCharacters);
    expect(uncoloured).toEqual(renderTable(TABLE, PLAIN));
  });
});

describe('printable', () => {
  test('keeps a text from moving the cursor, colouring, or turning direction', () => {
    expect(printable('a\u001b[2Jb\u009bc\r\nd\te\u202ef\u0000')).toBe('a[2Jbc d ef');
  });

  test('leaves letters of all scripts alone', () => {
    expect(printable('φ ≥ 8 → grün 東京')).toBe('φ ≥ 8 → grün 東京');
  });

  test('is applied by both styles', () => {
    expect(PLAIN('a\u0007', 'plain')).toBe('a');
    expect(COLOURED('a\u0007', 'bad')).toBe('\u001b[31ma\u001b[39m');
  });
});
