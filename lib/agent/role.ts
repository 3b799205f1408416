/**
 * One role out of what several regions say.
 *
 * Each region answers from its own copy of the log, and copies lag. The epoch (term and index of
 * the entry that gave the role) says whose copy is newer, so the highest epoch wins, never the
 * majority and never the latest arrival. Should two regions ever claim different roles for the
 * same epoch, which the log excludes, the site stands by: two active sites cost more than none.
 */

/** The log entry that authorised a role: the fencing number. Ordered by term, then by index. */
export interface Epoch {
  readonly term: number;
  readonly index: number;
}

export interface SiteRole {
  readonly role: 'active' | 'standby' | 'unknown';
  /** null while the region knows of no decision about this service. */
  readonly epoch: Epoch | null;
}

export const ROLE_UNKNOWN: SiteRole = { role: 'unknown', epoch: null };

const CAUTION: { readonly [role in SiteRole['role']]: number } = {
  unknown: 0,
  active: 1,
  standby: 2,
};

/** The role that the latest answer of each region adds up to; unknown when there is none. */
export function decideRole(answers: readonly SiteRole[]): SiteRole {
  return answers.reduce((best, next) => (outranks(next, best) ? next : best), ROLE_UNKNOWN);
}

export function isSameRole(left: SiteRole, right: SiteRole): boolean {
  return left.role === right.role && compareEpochs(left.epoch, right.epoch) === 0;
}

function outranks(next: SiteRole, best: SiteRole): boolean {
  const byEpoch = compareEpochs(next.epoch, best.epoch);
  return byEpoch > 0 || (byEpoch === 0 && CAUTION[next.role] > CAUTION[best.role]);
}

function compareEpochs(left: Epoch | null, right: Epoch | null): number {
  if (left === null || right === null) {
    return Number(left !== null) - Number(right !== null);
  }
  return left.term - right.term || left.index - right.index;
}
