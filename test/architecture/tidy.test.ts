import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, readSource, readTree, type SourceFile } from './source-files.ts';
import {
  ambientEnvironment,
  ambientTimeAndChance,
  bannedWords,
  countSuppressions,
  deadLinks,
  FUNCTION_FILE_LINES_MAX,
  fileLength,
  machinePaths,
  opensWithComment,
  suppressionsHaveReasons,
} from './tidy-rules.ts';

const CODE = ['.ts', '.tsx', '.mjs'];
const SHIPPED = ['lib', 'functions', 'infra'];
/** Lower it when one goes; raise it only with a word in the commit. */
const SUPPRESSIONS_MAX = 10;

const shipped = readTree(SHIPPED, CODE);
/** Has all the names that the package has. */
const standsInForPackage = /^infra\/bundled\//;
const rulesThemselves = /^test\/architecture\/(tidy|import-law)/;
const code = [...shipped, ...readTree(['test'], CODE)].filter(
  ({ path }) => !rulesThemselves.test(path),
);
const documents = [
  ...readTree(['docs'], ['.md']),
  ...readdirSync(ROOT)
    .filter((name) => name.endsWith('.md'))
    .map(readSource),
];
const file = (path: string, text: string): SourceFile => ({ path, text });

describe('the rules see what they forbid', () => {
  it.each([
    ['const dateHelper = 1;'],
    ['class RunManager {}'],
    ["import { a } from './string-utils.ts';"],
    ['const StringUtil = 1;'],
    ['// FIXME: later'],
    ['// TODO later'],
    ['const a = b as any;'],
    ['// @ts-ignore'],
    ['// @ts-expect-error: because'],
  ])('the banned word in %s', (line) => {
    expect(bannedWords(file('lib/base/x.ts', `/** x */\n${line}\n`))).toHaveLength(1);
  });

  it('a banned word in a file name, and none in the names of others', () => {
    expect(bannedWords(file('lib/base/run-manager.ts', ''))).toHaveLength(1);
    const foreign = [
      "import { promisify } from 'node:util';",
      "export * as util from '../../node_modules/zod/v4/core/util.js';",
      '// AWS Secrets Manager keeps it.',
    ].join('\n');
    expect(bannedWords(file('lib/base/x.ts', foreign))).toEqual([]);
  });

  it('a file that is too long, and a function file much sooner', () => {
    const lines = (count: number) => 'a;\n'.repeat(count);
    expect(fileLength(file('lib/base/x.ts', lines(400)))).toEqual([]);
    expect(fileLength(file('lib/base/x.ts', lines(401)))).toHaveLength(1);
    expect(fileLength(file('functions/x.ts', lines(FUNCTION_FILE_LINES_MAX)))).toEqual([]);
    expect(fileLength(file('functions/x.ts', lines(FUNCTION_FILE_LINES_MAX + 1)))).toHaveLength(1);
  });

  it('a file that does not say what it is', () => {
    expect(opensWithComment(file('lib/x.ts', '/** What. */\n'))).toEqual([]);
    expect(opensWithComment(file('lib/x.mjs', '#!/usr/bin/env node\n/** What. */\n'))).toEqual([]);
    expect(opensWithComment(file('lib/x.ts', "import a from './a.ts';\n"))).toHaveLength(1);
  });

  it.each(['Math.random()', 'Date.now()', 'new Date()', 'performance.now()', 'setTimeout(f)'])(
    '%s in a pure room, and not in a comment or elsewhere',
    (call) => {
      const text = `/** x */\nconst a = ${call};\n`;
      expect(ambientTimeAndChance(file('lib/consensus/x.ts', text))).toHaveLength(1);
      expect(ambientTimeAndChance(file('lib/consensus/x.ts', `/** ${call} */\n`))).toEqual([]);
      expect(ambientTimeAndChance(file('lib/local/x.ts', text))).toEqual([]);
    },
  );

  it('the environment read outside its one file', () => {
    const text = 'const a = process.env;\n';
    expect(ambientEnvironment(file('lib/aws/x.ts', text))).toHaveLength(1);
    expect(ambientEnvironment(file('lib/config/environment.ts', text))).toEqual([]);
  });

  it('a suppression without a reason', () => {
    const bare = '// biome-ignore lint/style/noEnum: x\n';
    const argued = '// biome-ignore lint/style/noEnum: the table of the protocol has these names\n';
    expect(suppressionsHaveReasons(file('lib/x.ts', bare))).toHaveLength(1);
    expect(suppressionsHaveReasons(file('lib/x.ts', argued))).toEqual([]);
    expect(countSuppressions(file('lib/x.ts', bare + argued))).toBe(2);
  });

  it.each(['See /home/ann/tripoint.', '(/Users/bob/x)', 'C:\\Users', 'In /checkout/here/lib.'])(
    'the machine path in %s',
    (text) => {
      const rule = machinePaths('/checkout/here/');
      expect(rule(file('docs/x.md', text))).toHaveLength(1);
      expect(rule(file('docs/x.md', 'GET /v1/root/x and lib/home/x'))).toEqual([]);
    },
  );

  it('a link that leads nowhere, from wherever the document stands', () => {
    const rule = deadLinks((path) => path === 'docs/a.md');
    const text = '[a](a.md) [b](../docs/a.md#part) [c](https://example.test/x) [d](#here)';
    expect(rule(file('docs/x.md', text))).toEqual([]);
    expect(rule(file('x.md', text))).toHaveLength(2);
  });
});

describe('the tree is tidy', () => {
  it('was found', () => {
    expect(shipped.length).toBeGreaterThan(80);
    expect(documents.length).toBeGreaterThan(3);
  });

  it.each([
    ['uses no banned word', bannedWords, code.filter(({ path }) => !standsInForPackage.test(path))],
    ['has no file that is too long', fileLength, shipped],
    ['says in each file what it is', opensWithComment, shipped],
    ['takes time and chance as arguments in pure rooms', ambientTimeAndChance, shipped],
    ['reads the environment in one place', ambientEnvironment, shipped],
    ['gives a reason for each suppression', suppressionsHaveReasons, code],
    ['names no path of a machine in its documents', machinePaths(ROOT), documents],
    ['has no dead link', deadLinks((path) => existsSync(join(ROOT, path))), documents],
  ] as const)('%s', (_, rule, files) => {
    expect(files.flatMap((each) => rule(each))).toEqual([]);
  });

  it(`switches the linter off at most ${SUPPRESSIONS_MAX} times`, () => {
    const suppressions = code.filter((each) => countSuppressions(each) > 0);
    const count = suppressions.reduce((sum, each) => sum + countSuppressions(each), 0);
    expect(count, suppressions.map(({ path }) => path).join(', ')).toBeLessThanOrEqual(
      SUPPRESSIONS_MAX,
    );
  });

  it('has a contract suite, run on something, for each port', () => {
    const port =
      /^lib\/(?:detection|consensus|recovery|backup|control)\/([a-z0-9-]+-(?:port|store))\.ts$/;
    const ports = shipped.flatMap(({ path }) => path.match(port)?.[1] ?? []);
    const suites = readdirSync(join(ROOT, 'test/contract'));
    expect(ports.length).toBeGreaterThanOrEqual(4);
    for (const name of ports) {
      expect(suites, `the port ${name} needs a contract suite`).toContain(`${name}-contract.ts`);
      expect(suites, `nothing runs the contract of ${name}`).toContain(`${name}.test.ts`);
    }
  });

  it('argues for each dependency in docs/decisions', () => {
    const { dependencies, devDependencies } = JSON.parse(readSource('package.json').text);
    const { text } = readSource('docs/decisions/0002-dependencies.md');
    const rows = [...text.matchAll(/^\| `([^`]+)` +\| (.+) \|$/gm)]
      .filter(([, , reason = '']) => reason.trim().length >= 20)
      .map(([, name]) => name);
    const names = Object.keys({ ...dependencies, ...devDependencies });
    expect(rows.toSorted()).toEqual(names.toSorted());
  });

  it('has a lock file that knows every platform, so that npm ci takes it everywhere', () => {
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.values(lock.packages)
      .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
      .filter(
        (name) => !Object.keys(lock.packages).some((path) => path.endsWith(`node_modules/${name}`)),
      );
    expect(missing).toEqual([]);
  });
});
