/**
 * The second hunter: the unit tests. Some bugs only waste time, hide behind another net, or need a
 * chance in millions; no life will tell them from the right code, and a test that aims at them does.
 *
 * One test run for all mutants, each a project of its own whose sources are changed as they load; and
 * one more project without a mutant, in which everything must pass.
 */
import { fileURLToPath } from 'node:url';
import { startVitest, type TestModule } from 'vitest/node';
import { invariant } from '../../../lib/base/invariant.ts';
import { type Edit, editsOf, type Mutant, mutate } from './mutant.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CONTROL = 'no mutant';

/** The tests that fail, by mutant; none = it survived. The name of a test says what it found out. */
export type FailingTests = ReadonlyMap<string, readonly string[]>;

interface Project {
  readonly name: string;
  readonly files: readonly string[];
  readonly edits: readonly Edit[];
}

/** @throws InvariantError when a test fails without a mutant, or a mutant's source is not loaded. */
export async function huntByTests(mutants: readonly Mutant[]): Promise<FailingTests> {
  const hunted = mutants.flatMap((mutant): readonly Project[] =>
    mutant.tests === undefined
      ? []
      : [{ name: mutant.name, files: [mutant.tests], edits: editsOf(mutant) }],
  );
  if (hunted.length === 0) {
    return new Map();
  }
  const control = { name: CONTROL, files: hunted.flatMap(({ files }) => files), edits: [] };
  const failing = await runProjects([control, ...hunted]);
  const broken = failing.get(CONTROL) ?? [];
  invariant(broken.length === 0, 'tests-fail-without-mutant', broken);
  return failing;
}

async function runProjects(projects: readonly Project[]): Promise<FailingTests> {
  const unloaded = new Set<string>();
  const vitest = await startVitest('test', [], {
    config: false,
    root: ROOT,
    watch: false,
    // A changed source is never to be had from a run before.
    fsModuleCache: false,
    // Failures are what is looked for: they are told by who calls, not by the run.
    reporters: [{}],
    projects: projects.map((project) => ({
      plugins: [mutating(project, unloaded)],
      test: { name: project.name, root: ROOT, include: [...new Set(project.files)] },
    })),
  });
  try {
    const failing = new Map(projects.map(({ name }) => [name, [] as string[]]));
    for (const module of vitest.state.getTestModules()) {
      failing.get(module.project.name)?.push(...failuresIn(module));
    }
    invariant(unloaded.size === 0, 'mutant-not-loaded', { files: [...unloaded] });
    return failing;
  } finally {
    await vitest.close();
    // A test run that fails says so by the exit code; here failures are what was wanted.
    process.exitCode = 0;
  }
}

/** A plugin of the test run: changes the mutant's sources before anything else sees them. */
function mutating({ name, edits }: Project, unloaded: Set<string>) {
  const keyOf = ({ file }: Edit) => `${name}: ${file}`;
  for (const edit of edits) {
    unloaded.add(keyOf(edit));
  }
  return {
    name: `mutant ${name}`,
    enforce: 'pre' as const,
    transform: (source: string, id: string): string | null => {
      const own = edits.filter(({ file }) => id === `${ROOT}${file}`);
      for (const edit of own) {
        unloaded.delete(keyOf(edit));
      }
      return own.length === 0 ? null : own.reduce(mutate, source);
    },
  };
}

/** A file that cannot be run fails as a whole. */
function failuresIn(module: TestModule): readonly string[] {
  const failed = [...module.children.allTests('failed')].map(({ fullName }) => fullName);
  return module.ok() || failed.length > 0 ? failed : [`${module.moduleId} cannot be run`];
}
