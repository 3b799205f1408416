/**
 * A process that comes only to change who votes or who leads: the log and its registers, and none of
 * the loops of a control region. It lends the registers its CPU and goes.
 */
import type { Clock, Random } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { RegionId } from '../base/identifiers.ts';
import type { Sha256 } from '../base/json.ts';
import type { LogEvent } from '../base/log.ts';
import { createCluster } from '../consensus/cluster.ts';
import { transferLeadership } from '../consensus/leadership.ts';
import { LogHost } from '../consensus/log-host.ts';
import {
  type ChangeOutcome,
  type Replacement,
  replaceMember,
} from '../consensus/membership-change.ts';
import type { RegisterPort } from '../consensus/register-port.ts';
import type { ConsensusTimings } from '../consensus/settings.ts';
import { createControlMachine } from './machine.ts';

export interface MembershipOptions {
  readonly clusterId: string;
  /** The regions that the cluster was made with. */
  readonly founders: readonly RegionId[];
  /** Of every region that votes, or is to vote. */
  readonly registers: readonly RegisterPort[];
  readonly timings: ConsensusTimings;
  readonly clock: Clock;
  readonly random: Random;
  readonly sha256: Sha256;
  readonly log: LogEvent;
}

/**
 * Safe to repeat.
 *
 * @param timeoutMs for the whole change.
 * @throws AppError `region-unknown`.
 */
export function replaceRegion(
  options: MembershipOptions,
  replacement: Replacement,
  timeoutMs: number,
): Promise<ChangeOutcome> {
  const parts = openLog(options, replacement.joining);
  return replaceMember({ ...parts, registers: options.registers, timeoutMs }, replacement);
}

/** False when it did not come about; asking again is harmless. @throws AppError `region-unknown`. */
export function handOver(options: MembershipOptions, region: RegionId): Promise<boolean> {
  return transferLeadership(openLog(options, region), region);
}

/** @throws AppError `region-unknown` when the cluster has no table there. */
function openLog({ founders, ...options }: MembershipOptions, region: RegionId) {
  const known = options.registers.map((register) => register.region);
  if (!known.includes(region)) {
    throw new AppError(`there is no way to a table in ${region}`, {
      code: 'region-unknown',
      hint: `Known are ${known.join(', ')}; on AWS, list all regions with --regions.`,
      retryable: false,
    });
  }
  const sorted = founders.toSorted();
  const identity = { clusterId: options.clusterId, region, founders: sorted };
  const cluster = createCluster({ ...options, identity });
  const machine = createControlMachine(sorted);
  return { cluster, host: new LogHost({ cluster, machine, sha256: options.sha256 }) };
}
