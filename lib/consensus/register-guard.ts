/**
 * The two checks that every register implementation makes of what it finds in its store: is this
 * our register at all, and has it gone back in time?
 *
 * Both mean that the store is not the one the vote was given to: two regions pointing at one table,
 * a table of another cluster, a global table, a table restored from a backup. Going on would let one
 * register vote twice in a term. So they halt the caller loudly (docs/raft.md, identity): a safety
 * bug becomes a liveness bug, which a quorum survives.
 */
import { AppError } from '../base/errors.ts';
import type { Copy, Revision } from './register-port.ts';
import type { ClusterIdentity } from './server.ts';

/**
 * Which of a region's tables it is (`incarnation`) is not asked here: the configuration in the log
 * says whether that one votes.
 *
 * @throws AppError `register-identity-mismatch` unless the register found is the one expected.
 */
export function requireSameIdentity(expected: ClusterIdentity, found: ClusterIdentity): void {
  if (describe(expected) !== describe(found)) {
    throw new AppError(`expected register ${describe(expected)}, found ${describe(found)}`, {
      code: 'register-identity-mismatch',
      hint:
        'This table belongs to another cluster or region, or to a cluster that was made with other ' +
        'regions. Point each control region at its own consensus table, and never at a copy or a ' +
        'replica of another.',
      retryable: false,
    });
  }
}

/** What a caller has seen of a register; only a table that took its place begins anew. */
export interface Seen {
  readonly incarnation: number;
  readonly revision: Revision;
}

/**
 * A caller that expects revision r has seen revision r, and revisions only rise. One that would make
 * the register (revision 0) has seen nothing.
 *
 * @throws AppError `register-rolled-back` when an older one stands there now.
 */
export function requireNotRolledBack(expected: Seen, { revision, server }: Copy): void {
  const { incarnation } = server.identity;
  if (expected.revision === 0) {
    return;
  }
  const isOlder = incarnation === expected.incarnation && revision < expected.revision;
  if (isOlder || incarnation < expected.incarnation) {
    const found = nameOf({ incarnation, revision });
    throw new AppError(`register was at ${nameOf(expected)} and is at ${found} now`, {
      code: 'register-rolled-back',
      hint:
        'The consensus table was restored from a backup, and its votes are lost. Delete the item ' +
        '`register`; the other regions go on without it. Then run `tripoint region replace`.',
      retryable: false,
    });
  }
}

function nameOf({ incarnation, revision }: Seen): string {
  return `revision ${revision} of table ${incarnation}`;
}

function describe({ clusterId, region, founders }: ClusterIdentity): string {
  return `${clusterId}@${region} of [${founders.join(' ')}]`;
}
