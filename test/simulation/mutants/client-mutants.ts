/** Bugs in how a process talks to a register: what it may believe, and what it may not. */
import type { Mutant } from './mutant.ts';

const CLIENT = 'lib/consensus/register-client.ts';

export const CLIENT_MUTANTS: readonly Mutant[] = [
  {
    name: 'unknown-write-believed',
    file: CLIENT,
    find: `      default:
        this.#copy = null;
        return null;`,
    replace: `      default:
        this.#keep({ revision: before.revision + 1, server: after.server });
        return { kind: 'answered', ...after };`,
    why: 'An unknown outcome is rounded up to success (scenario 3).',
  },
  {
    name: 'unknown-write-refused',
    file: CLIENT,
    find: `      default:
        this.#copy = null;
        return null;`,
    replace: `      default:
        this.#copy = null;
        return { kind: 'refused', code: 'unreachable', cause: write.cause };`,
    why: 'An unknown outcome is rounded down to failure (scenario 3).',
  },
  {
    name: 'conflict-believed-to-be-ours',
    file: CLIENT,
    find: `          this.#keep(write.copy);
        }`,
    replace: `          this.#keep(write.copy);
          return { kind: 'answered', reply: after.reply, server: write.copy.server };
        }`,
    why: 'A conflict is taken for the repetition of the own write, whoever wrote (scenario 2).',
  },
  {
    name: 'refusal-ends-doubt',
    file: CLIENT,
    find: "return isInDoubt ? { kind: 'unknown', cause } : { kind: 'refused', code, cause };",
    replace: "return { kind: 'refused', code, cause };",
    why: 'A second try that did not leave makes the first one, in doubt, a failure.',
  },
  {
    name: 'shared-read-begun-before',
    file: CLIENT,
    find: 'this.#nextRefresh = null;',
    replace: '',
    why: 'A read joins one that began before it (etcd 20418, etcd-io/raft 397; scenario 8). A life in a thousand finds it; the story aims at it.',
    tests: 'test/scenario/consensus/transcripts.test.ts',
    and: [
      {
        file: CLIENT,
        find: 'return cause === null ? this.cached : null;',
        replace: 'this.#nextRefresh = null; return cause === null ? this.cached : null;',
      },
    ],
  },
  {
    name: 'unreachable-read-from-cache',
    file: CLIENT,
    find: 'return cause === null ? this.cached : null;',
    replace: 'return cause === HALTED ? null : this.cached;',
    why: 'A register that does not answer is read from memory (scenario 8).',
  },
  {
    name: 'reads-from-cache',
    file: 'lib/consensus/cluster.ts',
    find: 'const server = await client.refresh();',
    replace: 'const server = client.cached ?? (await client.refresh());',
    why: 'The majority of a read is one of memories (scenario 8).',
  },
  {
    name: 'calls-not-serialised',
    file: CLIENT,
    find: 'const result = this.#tail.then(work);',
    replace: 'const result = work();',
    why: 'Two works of one process take turns on one copy, and an older one is put back.',
  },
  {
    name: 'conflict-brings-no-copy',
    file: CLIENT,
    find: `          this.#keep(write.copy);
        }`,
    replace: '        }',
    why: 'After a conflict the old copy is stepped again, and counts as fresh.',
  },
];
