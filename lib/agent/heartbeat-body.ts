/**
 * What one beat says, out of what the host finds about itself.
 *
 * The host is asked anew for each beat and may be wrong in any way: a `status()` that throws or
 * gives nonsense counts as `failing`, a lag that is none is left out. A beat is sent all the same,
 * because silence would say something else.
 */
import type { HeartbeatProblem } from './endpoint.ts';
import type { HeartbeatSettings, HeartbeatStatus } from './heartbeat-options.ts';
import { askHost } from './host.ts';
import type { Epoch } from './role.ts';

export function composeBody(
  settings: Pick<HeartbeatSettings, 'status' | 'replicationLagMs' | 'replicationLagWrites'>,
  report: (problem: HeartbeatProblem) => void,
  { sequence, bootId, acknowledgedEpoch = null, fenced = false }: Beginning,
): string {
  const { status, replicationLagMs, replicationLagWrites } = settings;
  const reported = askHost(report, () => checkStatus(status()), 'failing');
  const lagMs = askHost(report, () => checkLag(replicationLagMs()), null);
  const lag = lagMs === null ? {} : { replicationLagMs: lagMs };
  const lagWrites = askHost(report, () => checkLag(replicationLagWrites()), null);
  const writes = lagWrites === null ? {} : { replicationLagWrites: lagWrites };
  const acknowledged = acknowledgedEpoch === null ? {} : { acknowledgedEpoch };
  const role = fenced ? { ...acknowledged, fenced } : acknowledged;
  return JSON.stringify({ sequence, bootId, status: reported, ...lag, ...writes, ...role });
}

interface Beginning {
  readonly sequence: number;
  readonly bootId: string;
  /** The grant that took the role from this site, once it has given it up. */
  readonly acknowledgedEpoch?: Epoch | null;
  /** The site holds no role because no answer renews one; left out where that is not so. */
  readonly fenced?: boolean;
}

function checkStatus(status: HeartbeatStatus): HeartbeatStatus {
  if (status !== 'ok' && status !== 'degraded' && status !== 'failing') {
    throw new TypeError(`status() gave ${JSON.stringify(status)}`);
  }
  return status;
}

function checkLag(lagMs: number | null): number | null {
  if (lagMs !== null && !(Number.isFinite(lagMs) && lagMs >= 0)) {
    throw new RangeError(`a replication lag of ${lagMs} was given`);
  }
  return lagMs === null ? null : Math.round(lagMs);
}
