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

export function composeBody(
  { status, replicationLagMs }: Pick<HeartbeatSettings, 'status' | 'replicationLagMs'>,
  report: (problem: HeartbeatProblem) => void,
  { sequence, bootId }: { readonly sequence: number; readonly bootId: string },
): string {
  const reported = askHost(report, () => checkStatus(status()), 'failing');
  const lagMs = askHost(report, () => checkLag(replicationLagMs()), null);
  const lag = lagMs === null ? {} : { replicationLagMs: lagMs };
  return JSON.stringify({ sequence, bootId, status: reported, ...lag });
}

function checkStatus(status: HeartbeatStatus): HeartbeatStatus {
  if (status !== 'ok' && status !== 'degraded' && status !== 'failing') {
    throw new TypeError(`status() gave ${JSON.stringify(status)}`);
  }
  return status;
}

function checkLag(lagMs: number | null): number | null {
  if (lagMs !== null && !(Number.isFinite(lagMs) && lagMs >= 0)) {
    throw new RangeError(`replicationLagMs() gave ${lagMs}`);
  }
  return lagMs === null ? null : Math.round(lagMs);
}
