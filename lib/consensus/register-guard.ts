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
import type { Revision } from './register-port.ts';
import type { Identity } from './server.ts';

/** @throws AppError `register-identity-mismatch` unless the register found is the one expected. */
export function requireSameIdentity(expected: Identity, found: Identity): void {
  if (describe(expected) !== describe(found)) {
    throw new AppError(`expected register ${describe(expected)}, found ${describe(found)}`, {
      code: 'register-identity-mismatch',
      hint:
        'This table belongs to another cluster, region or member set. Point each control region ' +
        'at its own consensus table, and never at a copy or a replica of another.',
      retryable: false,
    });
  }
}

/**
 * A caller that expects revision r has seen revision r, and revisions only rise.
 *
 * @throws AppError `register-rolled-back` when an older one stands there now.
 */
export function requireNotRolledBack(expected: Revision, found: Revision): void {
  if (found < expected) {
    throw new AppError(`register was at revision ${expected} and is at ${found} now`, {
      code: 'register-rolled-back',
      hint:
        'The consensus table was restored from a backup or replaced, and its votes are lost. Stop ' +
        'the controllers of this region; the others go on without it (docs/raft.md, identity).',
      retryable: false,
    });
  }
}

function describe(identity: Identity): string {
  return `${identity.clusterId}@${identity.region} of [${identity.members.join(' ')}]`;
}
