import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonBytes } from '../../../lib/consensus/size.ts';

test('the size of a value is that of its JSON in UTF-8', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
      const both = { value, text };
      expect(jsonBytes(both)).toBe(Buffer.byteLength(JSON.stringify(both)));
    }),
    { seed: 20_261_123, numRuns: 300 },
  );
});
