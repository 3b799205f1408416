import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findViolations, LAW, readImports } from './import-law.ts';
import { ROOT, readTree } from './source-files.ts';

/** [file, its text]: each breaks the law of design section 3 in one way. */
const FORBIDDEN: readonly (readonly [string, string])[] = [
  ['lib/base/x.ts', "import { a } from '../recovery/policy.ts';"],
  ['lib/base/x.ts', "import type { A } from '../recovery/policy.ts';"],
  ['lib/detection/x.ts', "import { a } from '../recovery/policy.ts';"],
  ['lib/detection/x.ts', "import { readFile } from 'node:fs/promises';"],
  ['lib/consensus/x.ts', "import type { A } from '../aws/dynamodb/client.ts';"],
  ['lib/consensus/x.ts', "import { createHash } from 'node:crypto';"],
  ['lib/consensus/x.ts', "export { a } from '../control/commands.ts';"],
  ['lib/recovery/x.ts', "import { isUp } from '../detection/verdict.ts';"],
  ['lib/recovery/x.ts', "import { z } from 'zod';"],
  ['lib/backup/x.ts', "const { a } = await import('node:zlib');"],
  ['lib/resilience/x.ts', "import '../agent/limits.ts';"],
  ['lib/config/x.ts', "import { a } from '../control/plane.ts';"],
  ['lib/control/x.ts', "import { a } from '../aws/dynamodb/register-store.ts';"],
  ['lib/control/x.ts', "import { Hono } from 'hono';"],
  ['lib/control/x.ts', "import { randomUUID } from 'node:crypto';"],
  ['lib/api/x.ts', "import { a } from '../local/supervisor.ts';"],
  ['lib/api/x.ts', "import { DynamoDBClient } from '@aws-sdk/client-dynamodb';"],
  ['lib/agent/x.ts', "import { schema } from '../api/schemas.ts';"],
  ['lib/agent/x.ts', "import { z } from 'zod';"],
  ['lib/aws/dynamodb/x.ts', "import { startPlane } from '../../control/plane.ts';"],
  ['lib/aws/dynamodb/x.ts', "import { handler } from '../compose-api.ts';"],
  ['lib/aws/x.ts', "import { a } from '../local/system-clock.ts';"],
  ['lib/aws/compose-api.ts', "import { a } from '../local/system-clock.ts';"],
  ['lib/local/x.ts', "import { a } from '../cli/main.ts';"],
  ['lib/local/x.ts', "import { S3Client } from '@aws-sdk/client-s3';"],
  ['lib/simulation/x.ts', "import { a } from '../local/dns/dns-server.ts';"],
  ['lib/cli/x.ts', "import { S3Client } from '@aws-sdk/client-s3';"],
  ['lib/cli/x.ts', "import { a } from '../../test/support/servers.ts';"],
  ['functions/x.ts', "import { a } from '../lib/control/plane.ts';"],
  ['functions/x.ts', "import { a } from '../infra/settings.ts';"],
  ['infra/x.ts', "import { a } from '../lib/aws/compose-api.ts';"],
  ['infra/x.ts', "import { a } from '../functions/api.ts';"],
  ['lib/attic/x.ts', ''],
];

const ALLOWED: readonly (readonly [string, string])[] = [
  ['lib/consensus/x.ts', "import type { Term } from '../base/identifiers.ts';"],
  ['lib/recovery/x.ts', "import type { Verdict } from '../detection/verdict.ts';"],
  ['lib/control/x.ts', "import { stepServer } from '../consensus/step.ts';"],
  ['lib/aws/dynamodb/x.ts', "import type { HealthStore } from '../../control/health-store.ts';"],
  ['lib/aws/compose-api.ts', "import { a } from '../control/plane.ts';"],
  ['lib/aws/compose-api.ts', "import { a } from './dynamodb/client.ts';"],
  ['lib/local/x.ts', "import packet from 'dns-packet';"],
  ['lib/agent/x.ts', "import type { A } from '../api/schemas.ts';"],
  ['functions/x.ts', "import { a } from '../lib/aws/compose-api.ts';"],
  ['infra/x.ts', "import { Stack } from 'aws-cdk-lib/core';"],
  ['test/unit/x.ts', "import fc from 'fast-check';"],
];

/** [file, its text, the rule that fires]: what the general rules are for. */
const UNSOUND: readonly (readonly [string, string, string])[] = [
  ['lib/base/cycle-a.ts', "import { b } from './cycle-b.ts';", 'no-circular'],
  ['lib/base/orphan.ts', 'export const a = 1;', 'no-orphans'],
  ['lib/base/lost.ts', "import { a } from './gone.ts';", 'not-to-unresolvable'],
  ['lib/local/dev.ts', "import fc from 'fast-check';", 'shipped-code-needs-no-dev-dependency'],
  ['lib/local/tested.ts', "import { a } from '../../test/support/a.ts';", 'nothing-imports-tests'],
  ['infra/sdk.ts', "import { S3Client } from '@aws-sdk/client-s3';", 'aws-sdk-in-lib-aws'],
];

/** Sound, and near enough to the unsound to be taken for it. */
const SOUND: readonly (readonly [string, string])[] = [
  ['lib/base/types-a.ts', "import type { B } from './types-b.ts';"],
  ['lib/base/types-b.ts', "import type { A } from './types-a.ts';"],
  ['lib/cli/main.ts', 'export const a = 1;'],
  ['test/support/a.ts', 'export const a = 1;'],
];

describe('the reader of import lines', () => {
  it('reads every form of import, with its kind', () => {
    const source = [
      "import a from './a.ts';",
      "import type { B } from './b.ts';",
      'import {',
      '  type C,',
      '  c,',
      "} from './c.ts';",
      "import './d.ts';",
      "export * from './e.ts';",
      "export type { F } from './f.ts';",
      "import type from './g.ts';",
      "const h = () => import('./h.ts');",
    ].join('\n');
    expect(readImports(source)).toEqual(
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => ({
        specifier: `./${name}.ts`,
        isTypeOnly: name === 'b' || name === 'f',
      })),
    );
  });

  it('is not misled by comments and by code that only looks like an import', () => {
    const source = [
      '/**',
      " * import { a } from '../aws/a.ts';",
      ' */',
      "// import { b } from '../aws/b.ts';",
      "export const from = 'x';",
      "export const text = Array.from('abc');",
    ].join('\n');
    expect(readImports(source)).toEqual([]);
  });
});

describe('the import law', () => {
  it.each(FORBIDDEN)('forbids %s: %s', (path, source) => {
    expect(findViolations(path, source)).toHaveLength(1);
  });

  it('does not take an import of types for erased that leaves an import of effects', () => {
    const line = "import { type Verdict } from '../detection/verdict.ts';";
    expect(findViolations('lib/recovery/x.ts', line)).toHaveLength(1);
  });

  it.each(ALLOWED)('allows %s: %s', (path, source) => {
    expect(findViolations(path, source)).toEqual([]);
  });

  it('holds in the whole tree', () => {
    const files = readTree(['lib', 'functions', 'infra', 'test'], ['.ts', '.tsx', '.mjs']);
    expect(files.length).toBeGreaterThan(100);
    expect(files.flatMap(({ path, text }) => findViolations(path, text))).toEqual([]);
  });

  it('tells in each part what to do instead', () => {
    for (const { name, instead } of LAW) {
      expect(instead.length, name).toBeGreaterThan(40);
    }
  });
});

/** The real tool with the real rules, on a tree in which each forbidden line stands in a file. */
describe('dependency-cruiser with the same law', () => {
  let folder: string;
  let violations: readonly string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tripoint-import-law-'));
    for (const name of ['node_modules', 'package.json']) {
      await symlink(join(ROOT, name), join(folder, name));
    }
    const lines = FORBIDDEN.filter(([, source]) => source !== '');
    const targets = [...lines, ...ALLOWED].flatMap(([path, source]) =>
      readImports(source)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => join(dirname(path), specifier)),
    );
    const texts = new Map(targets.map((target) => [target, 'export const a = 1;\n']));
    texts.set('lib/base/cycle-b.ts', "import { a } from './cycle-a.ts';");
    for (const [path, source] of [...UNSOUND, ...SOUND]) {
      texts.set(path, source);
    }
    for (const [position, [path, source]] of lines.entries()) {
      texts.set(path.replace('.ts', `-${position}.ts`), source);
    }
    for (const [path, text] of texts) {
      await mkdir(join(folder, dirname(path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    const cruiser = join(ROOT, 'node_modules/.bin/depcruise');
    const rules = join(ROOT, '.dependency-cruiser.mjs');
    const flags = ['--config', rules, '--output-type', 'json'];
    const run = promisify(execFile)(
      process.execPath,
      [cruiser, ...flags, 'lib', 'functions', 'infra'],
      {
        cwd: folder,
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    const { stdout } = await run;
    const { summary } = JSON.parse(stdout) as {
      readonly summary: {
        readonly violations: readonly {
          readonly from: string;
          readonly rule: { readonly name: string };
        }[];
      };
    };
    violations = summary.violations.map(({ from, rule }) => `${from} ${rule.name}`);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('fires on every forbidden line, type-only and dynamic imports included', () => {
    const structural =
      /-(stays-in-its-rooms|takes-types-only|uses-its-own-packages|uses-no-node-builtin)$/;
    const missed = FORBIDDEN.filter(([path, source], position) => {
      const marker = `-${position}.ts `;
      const inRoom = `${dirname(path)}/`;
      const isFound = violations.some(
        (line) => line.startsWith(inRoom) && line.includes(marker) && structural.test(line),
      );
      return source !== '' && !isFound;
    });
    expect(missed).toEqual([]);
  });

  it.each(UNSOUND)('finds that %s (%s) breaks the rule %s', (path, _, rule) => {
    expect(violations).toContain(`${path} ${rule}`);
  });

  it('finds nothing in types that refer to each other, nor in entry points', () => {
    const sound = SOUND.map(([path]) => path);
    expect(violations.filter((line) => sound.some((path) => line.startsWith(path)))).toEqual([]);
  });
});
