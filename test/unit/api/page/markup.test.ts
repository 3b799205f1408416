import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ago, bound, html, span } from '../../../../lib/api/page/markup.ts';

describe('span', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [999.6, '1000 ms'],
    [1000, '1.0 s'],
    [4190, '4.1 s'],
    [59_999, '59.9 s'],
    [60_000, '1 min'],
    [200_000, '3 min 20 s'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 min'],
    [86_400_000, '1 d'],
    [273_600_000, '3 d 4 h'],
    [-1500, '−1.5 s'],
  ])('writes %d ms as %s', (durationMs, expected) => {
    expect(span(durationMs)).toBe(expected);
  });

  it('writes what a person set without a decimal', () => {
    expect([bound(30_000), bound(1500), bound(90_000)]).toEqual(['30 s', '1.5 s', '1 min 30 s']);
  });
});

describe('html', () => {
  it('lets no text open a tag or leave an attribute', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const markup = String(html`<p title="${text}">${text}</p>`);
        const inner = markup.slice('<p title="'.length, -'</p>'.length);
        expect(inner).not.toMatch(/[<]/);
        expect(inner.split('"')).toHaveLength(2);
      }),
    );
  });

  it('keeps fragments and lists of fragments as they are', () => {
    const items = ['a', '<'].map((item) => html`<li>${item}</li>`);
    expect(String(html`<ul>${items}${null}</ul>`)).toBe('<ul><li>a</li><li>&lt;</li></ul>');
  });
});

describe('ago', () => {
  it('tells never from long ago, and shows no future', () => {
    const now = '2026-11-23T09:40:00.000Z';
    expect(String(ago(null, now))).toContain('never');
    expect(String(ago('2026-11-23T09:39:55.000Z', now))).toContain('5.0 s ago');
    expect(String(ago('2026-11-23T09:40:05.000Z', now))).toContain('0 ms ago');
  });
});
