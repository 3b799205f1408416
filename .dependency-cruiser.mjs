/**
 * The import law, enforced on the resolved dependency graph, type-only imports included.
 *
 * The table of who may know whom stands in `test/architecture/import-law.json`, where a small
 * reader without any tool enforces it as well (`import-law.test.ts`), so the law holds also while
 * this tool lags behind a compiler. When a rule fires, its comment says what to do instead.
 *
 * Parser: swc. TypeScript 7 has no API for tools, and swc keeps type-only imports apart.
 */
import { readFileSync } from 'node:fs';

const { parts } = JSON.parse(
  readFileSync(new URL('test/architecture/import-law.json', import.meta.url), 'utf8'),
);

const ROOMS = '^(lib|functions|infra|test)/';

export default {
  forbidden: [...parts.flatMap((part, position) => rulesOf(part, position)), ...generalRules()],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    moduleSystems: ['es6', 'cjs'],
    doNotFollow: { path: 'node_modules' },
    // Anchored at the root: a package's own `dist` folder must stay in sight.
    exclude: { path: '^(cdk\\.out|\\.tripoint)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.d.ts'],
    },
  },
};

/** Up to four rules for one part of the house, named `<part>-…`. */
function rulesOf(part, position) {
  const from = { path: part.files };
  const earlier = parts.slice(0, position).map(({ files }) => files);
  // A file belongs to the first part that matches it: `lib/aws/compose.ts` is not in `aws`.
  const ownFrom = earlier.length === 0 ? from : { ...from, pathNot: earlier };
  const allowed = [...part.imports, ...part.types];
  const rule = (suffix, to) => ({
    name: `${part.name}-${suffix}`,
    severity: 'error',
    comment: part.instead,
    from: ownFrom,
    to,
  });
  return [
    rule('stays-in-its-rooms', { path: ROOMS, pathNot: allowed }),
    ...(part.types.length === 0
      ? []
      : [
          rule('takes-types-only', {
            path: part.types,
            pathNot: part.imports,
            dependencyTypesNot: ['type-only'],
          }),
        ]),
    ...(part.packages.includes('*')
      ? []
      : [
          rule('uses-its-own-packages', {
            path: '(^|/)node_modules/',
            pathNot: part.packages.map(packagePattern),
          }),
        ]),
    ...(part.builtins ? [] : [rule('uses-no-node-builtin', { dependencyTypes: ['core'] })]),
  ];
}

/** `@aws-sdk/*` → the folder of every package of that scope; types may sit below `@types`. */
function packagePattern(name) {
  const escaped = name.replaceAll('.', '\\.');
  const path = escaped.endsWith('*') ? escaped.slice(0, -1) : `${escaped}(/|$)`;
  return `(^|node_modules/)(@types/)?${path}`;
}

function generalRules() {
  return [
    {
      name: 'no-circular',
      severity: 'error',
      comment:
        'Two files that call each other are one concept or hide a third: move what both need into a file of its own. Types may refer to each other: such imports are erased.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'Nothing imports this file and it starts nothing: delete it, or wire it in.',
      from: {
        orphan: true,
        pathNot: [
          '\\.d\\.ts$',
          '\\.json$',
          '^lib/cli/(main\\.ts|launch\\.mjs)$',
          '^lib/local/.+-process\\.ts$',
          '^functions/',
          '^infra/main\\.ts$',
          '^test/.+(\\.test|[/-]main|global-setup)\\.ts$',
        ],
      },
      to: {},
    },
    {
      name: 'not-to-unresolvable',
      severity: 'error',
      comment: 'The imported file or package does not exist: correct the path, or install it.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'shipped-code-needs-no-dev-dependency',
      severity: 'error',
      comment:
        'lib and functions run where devDependencies are not installed: make it a dependency and give it a row in docs/decisions/0002-dependencies.md.',
      from: { path: '^(lib|functions)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      comment: 'What both need belongs to lib: an in-memory port to lib/simulation, for example.',
      from: { path: '^(lib|functions|infra)/' },
      to: { path: '^test/' },
    },
    {
      name: 'aws-sdk-in-lib-aws',
      severity: 'error',
      comment:
        'SDK types and errors stop at lib/aws: use its adapter through the port. Tests of adapters may use the SDK.',
      from: { path: '^(lib|functions|infra)/', pathNot: '^lib/aws/' },
      to: { path: '(^|node_modules/)@(aws-sdk|smithy)/' },
    },
  ];
}
