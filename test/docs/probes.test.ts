import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseConfiguration } from '../../lib/config/parse.ts';

const PAGE = readFileSync('docs/probes.md', 'utf8');

test('the probes on the page are valid, and of every kind', () => {
  const block = /```yaml\n(probes:\n[\s\S]*?)```/.exec(PAGE)?.[1] ?? '';
  const indented = block.replaceAll(/^(?=.)/gm, '        ');
  const text = `version: 1
services:
  checkout:
    dns: { name: checkout.example.com }
    primary: a
    sites:
      a:
        address: 192.0.2.10
        tokens: ['sha256:${'ab'.repeat(32)}']
${indented}
      b: { address: 192.0.2.11, tokens: ['sha256:${'ab'.repeat(32)}'] }
`;
  const parsed = parseConfiguration(text, {});
  expect(parsed).toMatchObject({ kind: 'valid' });
  const probes = parsed.kind === 'valid' ? parsed.policies[0]?.sites[0]?.probes : [];
  expect(probes?.map(({ kind }) => kind)).toEqual(['http', 'tls', 'tcp', 'dns']);
});
