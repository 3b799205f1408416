/**
 * Colour for people, never as the only carrier of meaning: each state also has a shape and a word.
 *
 * Whatever came from elsewhere is stripped of control characters before it reaches a terminal, so
 * that a reason or an alarm name cannot move the cursor or recolour what follows.
 */

export type Paint = 'plain' | 'good' | 'bad' | 'warning' | 'dim' | 'strong';

export type Style = (text: string, paint: Paint) => string;

const CODES: { readonly [paint in Paint]: readonly [open: number, close: number] | null } = {
  plain: null,
  good: [32, 39],
  bad: [31, 39],
  warning: [33, 39],
  dim: [2, 22],
  strong: [1, 22],
};

/** Text without colour. */
export const PLAIN: Style = (text) => printable(text);

/** ANSI colours (ECMA-48, select graphic rendition). */
export const COLOURED: Style = (text, paint) => {
  const code = CODES[paint];
  const safe = printable(text);
  return code === null ? safe : `\u001b[${code[0]}m${safe}\u001b[${code[1]}m`;
};

/** One line without control characters; a line break or tab becomes a space. */
export function printable(text: string): string {
  return text
    .replaceAll(/[\n\t]+/g, ' ')
    .replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '');
}
