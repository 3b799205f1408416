import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { type JobEvent, type JobRecord, jobAfter } from '../../../lib/detection/job.ts';

const at = (minute: number) => epochMillis(1_790_000_000_000 + minute * 60_000);
const event = (kind: JobEvent['kind'], more: Partial<JobEvent> = {}): JobEvent => ({
  kind,
  exitCode: null,
  message: null,
  ...more,
});

/** What one beat each minute makes of a job that was never heard of. */
function jobAfterAll(...events: readonly JobEvent[]): JobRecord | null {
  return events.reduce<JobRecord | null>(
    (job, next, minute) => jobAfter(job, next, at(minute)),
    null,
  );
}

describe('jobAfter', () => {
  test('opens a run with its start and closes it with its end', () => {
    expect(jobAfterAll(event('start'))?.runningSince).toBe(at(0));
    expect(jobAfterAll(event('start'), event('success', { exitCode: 0 }))).toEqual({
      lastStartedAt: at(0),
      lastSucceededAt: at(1),
      lastFailedAt: null,
      runningSince: null,
      unfinishedSince: null,
      exitCode: 0,
      message: null,
    });
  });

  test('keeps the last success beside a failure', () => {
    const job = jobAfterAll(event('success'), event('fail', { exitCode: 3 }));
    expect([job?.lastSucceededAt, job?.lastFailedAt, job?.exitCode]).toEqual([at(0), at(1), 3]);
  });

  test('takes a second start for a new run', () => {
    const job = jobAfterAll(event('start'), event('start'));
    expect([job?.runningSince, job?.unfinishedSince]).toEqual([at(1), at(0)]);
  });

  test('lets a log change the words and nothing else', () => {
    const before = jobAfterAll(event('start'), event('success', { message: 'done' }));
    const spoken = jobAfterAll(
      event('start'),
      event('success', { message: 'done' }),
      event('log', { message: 'still here' }),
    );
    expect(spoken).toEqual({ ...before, message: 'still here' });
  });

  test('forgets the words of the run before when a run ends without any', () => {
    const job = jobAfterAll(
      event('fail', { message: 'disk full' }),
      event('start'),
      event('success'),
    );
    expect(job?.message).toBeNull();
    expect(jobAfterAll(event('fail', { message: 'disk full' }), event('start'))?.message).toBe(
      'disk full',
    );
  });
});
