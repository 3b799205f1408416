import { expect, test } from 'vitest';
import type { ProbeAnswer } from '../../../../lib/aws/probe/answer.ts';
import { withinLimit } from '../../../../lib/aws/probe/time-limit.ts';
import { SYSTEM_CLOCK } from '../../../../lib/local/system-clock.ts';

test('work that does not end by its signal is left behind', async () => {
  const deaf = () => new Promise<ProbeAnswer>(() => undefined);
  const limit = { timeoutMs: 20, signal: new AbortController().signal, clock: SYSTEM_CLOCK };
  expect(await withinLimit(deaf, limit)).toMatchObject({ outcome: 'failed', code: 'timed-out' });
});

test('a prober that stops waits for no such work either', async () => {
  const prober = new AbortController();
  const deaf = () => {
    prober.abort();
    return new Promise<ProbeAnswer>(() => undefined);
  };
  const limit = { timeoutMs: 60_000, signal: prober.signal, clock: SYSTEM_CLOCK };
  expect(await withinLimit(deaf, limit)).toMatchObject({ outcome: 'not-probed' });
});
