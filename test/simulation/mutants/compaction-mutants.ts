/** Bugs in how registers are kept small (paper section 7). */
import type { Mutant } from './mutant.ts';

const COMPACTOR = 'lib/consensus/compactor.ts';

export const COMPACTION_MUTANTS: readonly Mutant[] = [
  {
    name: 'base-moved-without-snapshot',
    file: COMPACTOR,
    find: 'this.#stored = isStored ? {',
    replace: 'this.#stored = isStored || !isStored ? {',
    why: 'The base moves although its snapshot was not stored.',
  },
  {
    name: 'base-moved-before-snapshot',
    file: COMPACTOR,
    find: 'const isStored = await ownClient(this.#cluster).writeSnapshot(applied, encodeReplica(replica));',
    replace:
      "await ownClient(this.#cluster).exchange(() => ({ kind: 'compact', base: applied }));\n    const isStored = await ownClient(this.#cluster).writeSnapshot(applied, encodeReplica(replica));",
    why: 'Order swapped: a crash in between leaves a base without a snapshot.',
  },
  {
    name: 'drops-the-snapshot-of-the-base',
    file: COMPACTOR,
    find: 'await client.dropSnapshotsBelow(before.index);',
    replace: 'await client.dropSnapshotsBelow(logIndex(base.index + 1));',
    why: 'Whoever comes back behind the base finds nothing to load.',
  },
  {
    name: 'never-compacts',
    file: COMPACTOR,
    find: 'if (own === null || !isLarge(own, limits)) {',
    replace: 'if (own === null || !isLarge(own, limits) || own.entries.length > 0) {',
    why: 'The register grows up to the wall (scenario 10).',
  },
];
