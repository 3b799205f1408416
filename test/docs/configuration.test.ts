import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { editorSchema } from '../../lib/config/json-schema.ts';
import { parseConfiguration } from '../../lib/config/parse.ts';
import { renderConfigurationPage } from './configuration-page.ts';
import { expectGeneratedJson, expectGeneratedPage } from './generated-page.ts';

const EXAMPLES = readdirSync('docs/examples')
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => `docs/examples/${name}`);

describe('docs/configuration.md', () => {
  test('says what the schema, the rules and the limits say', () => {
    expectGeneratedPage('docs/configuration.md', renderConfigurationPage());
  });

  test('documents every key of the schema with a meaning', () => {
    const rows = renderConfigurationPage()
      .split('\n')
      .filter((line) => /^\| `/.test(line));
    expect(rows.length).toBeGreaterThan(25);
    expect(rows.filter((row) => /\|\s+\|$/.test(row) || row.includes('undefined'))).toEqual([]);
  });
});

describe('docs/tripoint.schema.json', () => {
  test('is the JSON Schema of the file', () => {
    expectGeneratedJson('docs/tripoint.schema.json', editorSchema());
  });

  test.each([...EXAMPLES, 'lib/local/demo.yaml'])('accepts %s', (path) => {
    const schema = z.fromJSONSchema(editorSchema());
    expect(schema.safeParse(parse(readFileSync(path, 'utf8'))).error).toBeUndefined();
  });

  test('underlines what is not valid', () => {
    const schema = z.fromJSONSchema(editorSchema());
    const text = readFileSync('docs/examples/tripoint.yaml', 'utf8');
    for (const [from, to] of [
      ['primary:', 'primry:'],
      ['interval: 1s', 'interval: 1'],
      ['type: A', 'type: MX'],
      ['failPhi: 16', 'failPhi: 1000'],
      ['sha256:5', 'sha256:'],
    ] as const) {
      expect(schema.safeParse(parse(text.replace(from, to))).success, to).toBe(false);
    }
  });

  test('lets a reference stand in place of any constrained value', () => {
    const text = JSON.stringify(editorSchema());
    expect(text).not.toContain('x-type');
    expect(text.match(/"anyOf"/g)?.length).toBeGreaterThan(10);
  });
});

describe('docs/examples/tripoint.yaml', () => {
  test('is valid without any variable', () => {
    expect(
      parseConfiguration(readFileSync('docs/examples/tripoint.yaml', 'utf8'), {}),
    ).toMatchObject({ kind: 'valid', policies: [{ service: 'checkout', automatic: true }] });
  });
});

describe('docs/examples', () => {
  test.each(EXAMPLES)('%s is valid without any variable, and linked from the page', (path) => {
    expect(parseConfiguration(readFileSync(path, 'utf8'), {})).toMatchObject({ kind: 'valid' });
    expect(renderConfigurationPage()).toContain(path.slice('docs/'.length));
  });

  test('show each strategy', () => {
    const strategies = EXAMPLES.flatMap((path) => {
      const parsed = parseConfiguration(readFileSync(path, 'utf8'), {});
      return parsed.kind === 'valid' ? parsed.policies.map(({ strategy }) => strategy) : [];
    });
    expect(new Set(strategies)).toEqual(
      new Set(['failover', 'warm-standby', 'pilot-light', 'active-active']),
    );
  });

  test('of a plan gives the run its stages', () => {
    const text = readFileSync('docs/examples/pilot-light.yaml', 'utf8');
    const parsed = parseConfiguration(text, {});
    const [policy] = parsed.kind === 'valid' ? parsed.policies : [];
    const stages = policy?.plans.failover?.stages.map((stage) => stage.map(({ name }) => name));
    expect(stages).toEqual([
      ['approve'],
      ['light', 'warm-caches'],
      ['wait-healthy'],
      ['fence'],
      ['database'],
      ['switch'],
      ['propagate'],
      ['verify'],
      ['tell'],
    ]);
  });
});

describe('lib/local/demo.yaml', () => {
  test('is valid once local mode has made the tokens', () => {
    const text = readFileSync('lib/local/demo.yaml', 'utf8');
    const names = [...text.matchAll(/\$\{([A-Z0-9_]+)\}/g)].map(([, name = '']) => name);
    const variables = Object.fromEntries(names.map((name) => [name, `token-of-${name}-for-tests`]));
    expect(parseConfiguration(text, variables)).toMatchObject({
      kind: 'valid',
      policies: [
        {
          service: 'checkout',
          dnsName: 'checkout.example.test',
          ttlSeconds: 1,
          safety: { holdDownMs: 20_000, automaticRunsPerDayMax: 50 },
          sites: [{ address: '127.0.0.11' }, { address: '127.0.0.12' }],
        },
      ],
    });
  });
});
