/** All mutants that must be found out: by lives, or by the tests that they name. */
import { CLIENT_MUTANTS } from './client-mutants.ts';
import { COMPACTION_MUTANTS } from './compaction-mutants.ts';
import { ELECTION_MUTANTS } from './election-mutants.ts';
import { HOST_MUTANTS } from './host-mutants.ts';
import { MEMBERSHIP_MUTANTS } from './membership-mutants.ts';
import type { Mutant } from './mutant.ts';
import { RECOVERY_MUTANTS } from './recovery-mutants.ts';
import { REPLICATION_MUTANTS } from './replication-mutants.ts';
import { TESTED_MUTANTS } from './tested-mutants.ts';
import { WHOLE_MUTANTS } from './whole-mutants.ts';

export const MUTANTS: readonly Mutant[] = [
  ...ELECTION_MUTANTS,
  ...REPLICATION_MUTANTS,
  ...CLIENT_MUTANTS,
  ...HOST_MUTANTS,
  ...COMPACTION_MUTANTS,
  ...MEMBERSHIP_MUTANTS,
  ...TESTED_MUTANTS,
  ...WHOLE_MUTANTS,
  ...RECOVERY_MUTANTS,
];
