// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested here.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandReferences } from '../../../lib/config/expansion.ts';

const VARIABLES = { HOST: 'db.example.com', EMPTY: '', NESTED: '${HOST}', DOLLAR: 'a$$b' };

describe('expandReferences', () => {
  test('replaces each reference by its value', () => {
    expect(expandReferences('https://${HOST}/${HOST}', VARIABLES)).toEqual({
      kind: 'expanded',
      text: 'https://db.example.com/db.example.com',
      referenced: true,
    });
  });

  test('turns a doubled dollar sign into one, also before a brace', () => {
    expect(expandReferences('$$5 and $${HOST}', VARIABLES)).toEqual({
      kind: 'expanded',
      text: '$5 and ${HOST}',
      referenced: false,
    });
  });

  test('leaves a lone dollar sign alone', () => {
    expect(expandReferences('$HOME costs 5$', VARIABLES)).toMatchObject({
      text: '$HOME costs 5$',
    });
  });

  test('does not look into what a variable holds', () => {
    expect(expandReferences('${NESTED} ${DOLLAR}', VARIABLES)).toMatchObject({
      text: '${HOST} a$$b',
    });
  });

  test('names every variable that is missing or empty, once', () => {
    expect(expandReferences('${A}${EMPTY}${A}${HOST}', VARIABLES)).toEqual({
      kind: 'missing',
      names: ['A', 'EMPTY'],
    });
  });

  test('does not find members of the prototype', () => {
    expect(expandReferences('${constructor}', {})).toEqual({
      kind: 'missing',
      names: ['constructor'],
    });
  });

  test.each(['${', '${}', '${HOST', '${A-B}', '${HOST:-x}', '${1A}'])(
    'refuses the malformed reference %s',
    (text) => {
      expect(expandReferences(`x${text}`, VARIABLES).kind).toBe('malformed');
    },
  );

  test('gives back any text whose dollar signs were doubled', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const escaped = text.replaceAll('$', '$$$$');
        expect(expandReferences(escaped, {})).toEqual({
          kind: 'expanded',
          text,
          referenced: false,
        });
      }),
      { seed: 20_261_123 },
    );
  });
});
