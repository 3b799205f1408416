/**
 * One beat from a program that does not stay: a cron job, a deployment step.
 *
 * There is nobody to renew a lease for, so no role comes back that could be acted on later; only
 * what each region said. A new boot id each time tells the regions that nothing is to be inferred
 * from the sequence.
 */
import { randomUUID } from 'node:crypto';
import type { BeatOutcome } from './endpoint.ts';
import { composeBody } from './heartbeat-body.ts';
import { checkOptions, type HeartbeatOptions } from './heartbeat-options.ts';
import { sendBeat } from './heartbeat-request.ts';
import { createReport } from './host.ts';

export interface RegionOutcome {
  readonly endpoint: string;
  readonly outcome: BeatOutcome;
}

/**
 * Sends one beat to all regions in parallel and waits for each at most `requestTimeoutMs`.
 *
 * @throws AppError `heartbeat-options` when the options can never work.
 */
export async function beatOnce(options: HeartbeatOptions): Promise<readonly RegionOutcome[]> {
  const settings = checkOptions({ keepProcessAlive: true, ...options });
  const identity = { sequence: 1, bootId: randomUUID() };
  const body = composeBody(settings, createReport(settings.onProblem), identity);
  const outcomes = await Promise.all(
    settings.endpoints.map(async (endpoint) => {
      const target = { endpoint, controller: new AbortController() };
      return { endpoint, outcome: await sendBeat(settings, target, { sequence: 1, body }) };
    }),
  );
  settings.closeConnections();
  return outcomes;
}
