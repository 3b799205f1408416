import { describe, expect, it } from 'vitest';
import { stagesOf } from '../../../lib/api/stages.ts';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { recoveryTimes } from '../../../lib/recovery/report.ts';
import type { Run } from '../../../lib/recovery/run.ts';
import { createApiFixture } from '../../support/control-plane-fixture.ts';

/** A failover whose steps were done at these instants, and no others. */
async function runWith(done: { readonly [step: string]: number }): Promise<Run> {
  const api = await createApiFixture();
  await api.beat('us-west-2');
  await api.clock.advance(1000);
  const path = '/v1/services/checkout/failover';
  await api.operate({ method: 'POST', path, body: { reason: 'x' } });
  const run = api.plane.status().state.runs.at(-1);
  if (run?.kind !== 'failover') {
    throw new Error('no failover began');
  }
  return {
    ...run,
    authorisedAt: epochMillis(8000),
    origin: {
      lastBeatAt: epochMillis(1000),
      firstFailedVerdictAt: epochMillis(7000),
    },
    steps: run.steps.map((step) => {
      const at = done[step.name];
      return at === undefined
        ? step
        : { ...step, progress: { kind: 'done', at: epochMillis(at), evidence: null } };
    }),
  };
}

describe('stagesOf', () => {
  it('shows the stages that are over while a run is open', async () => {
    expect(stagesOf(await runWith({ switch: 8400 }))).toEqual({
      detectMs: 6000,
      decideMs: 1000,
      actMs: 400,
      propagateMs: null,
      verifyMs: null,
      totalMs: null,
    });
  });

  it('says the same as the report when the run came through', async () => {
    const run = await runWith({ switch: 8400, propagate: 9000, verify: 9100 });
    expect(stagesOf(run)).toEqual(recoveryTimes(run));
    expect(stagesOf(run).totalMs).toBe(8100);
  });
});
