/**
 * Creates the registers of a new cluster, once. The only place that may.
 *
 * A register that is missing from a cluster that has voted is amnesia, not a beginning: created
 * anew it could vote twice in one term. So nothing is created unless every register answers, and
 * every one that exists has never voted.
 */
import { AppError } from '../base/errors.ts';
import type { RegionId } from '../base/identifiers.ts';
import type { RegisterPort, RegisterRead } from './register-port.ts';
import { pristineServer } from './server.ts';

export interface BootstrapOptions {
  readonly registers: readonly RegisterPort[];
  readonly clusterId: string;
  readonly founders: readonly RegionId[];
}

export type BootstrapOutcome = 'created' | 'already-there';

/**
 * @throws AppError `bootstrap-needs-all` when a register does not answer, `register-absent` when one
 * is missing from a cluster that has voted, `bootstrap-unfinished` when a creation is in doubt.
 */
export async function bootstrapCluster(options: BootstrapOptions): Promise<BootstrapOutcome> {
  const reads = await Promise.all(
    options.registers.map(async (register) => ({ register, outcome: await register.read() })),
  );
  for (const { register, outcome } of reads) {
    requireAnswer(register, outcome);
  }
  const missing = reads.filter(({ outcome }) => outcome.kind === 'absent');
  if (missing.length === 0) {
    return 'already-there';
  }
  if (reads.some(({ outcome }) => hasVoted(outcome))) {
    throw amnesia(missing.map(({ register }) => register.region));
  }
  await Promise.all(missing.map(({ register }) => create(register, options)));
  return 'created';
}

function requireAnswer({ region }: RegisterPort, outcome: RegisterRead): void {
  if (outcome.kind === 'unreachable') {
    throw new AppError(`the register of ${region} does not answer: ${outcome.cause}`, {
      code: 'bootstrap-needs-all',
      hint: 'Bootstrap needs every region once. Check that its table exists, then run it again.',
      retryable: true,
    });
  }
}

function hasVoted(outcome: RegisterRead): boolean {
  return outcome.kind === 'found' && outcome.copy.server.term > 0;
}

function amnesia(regions: readonly RegionId[]): AppError {
  return new AppError(`registers are missing from a running cluster: ${regions.join(', ')}`, {
    code: 'register-absent',
    hint:
      'A register that voted may not be created anew: it could vote twice. If its table is lost for ' +
      'good, a new one takes its place: `tripoint region replace`.',
    retryable: false,
  });
}

async function create(
  register: RegisterPort,
  { clusterId, founders }: BootstrapOptions,
): Promise<void> {
  const identity = { clusterId, region: register.region, founders, incarnation: 1 };
  const outcome = await register.compareAndSet(0, pristineServer(identity));
  if (outcome.kind === 'refused' || outcome.kind === 'unknown') {
    throw new AppError(`creating the register of ${register.region}: ${outcome.cause}`, {
      code: 'bootstrap-unfinished',
      hint: 'Run the bootstrap again: it goes on where it stopped.',
      retryable: true,
    });
  }
}
