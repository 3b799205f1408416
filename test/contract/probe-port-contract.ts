/** What every probe port must do, whatever it asks and however. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ProbePort } from '../../lib/control/probe-port.ts';
import type { ProbePolicy } from '../../lib/recovery/probe-policy.ts';

export interface ProbeHarness {
  readonly port: ProbePort;
  /** A target that behaves so, with this time limit. */
  readonly target: (
    behaviour: 'serves' | 'refuses' | 'hangs',
    timeoutMs: number,
  ) => Promise<ProbePolicy>;
  readonly close: () => Promise<void>;
}

const NEVER = new AbortController().signal;
/** Far above what a busy machine needs, far below what hangs. */
const PATIENT_MS = 5000;
const SHORT_MS = 80;

export function probePortContract(name: string, make: () => Promise<ProbeHarness>): void {
  describe(`probe port: ${name}`, () => {
    let harness: ProbeHarness;
    beforeEach(async () => {
      harness = await make();
    });
    afterEach(() => harness.close());

    test('a target that serves passes', async () => {
      const policy = await harness.target('serves', PATIENT_MS);
      const result = await harness.port.probe(policy, NEVER);
      expect(result).toMatchObject({ outcome: 'passed', code: 'passed' });
      expect(result.detail).not.toBe('');
      expect(Number.isFinite(result.endedAt)).toBe(true);
    });

    test('a target where nobody listens is told apart from one that is silent', async () => {
      const refusing = await harness.target('refuses', PATIENT_MS);
      const silent = await harness.target('hangs', SHORT_MS);
      expect(await harness.port.probe(refusing, NEVER)).toMatchObject({
        outcome: 'failed',
        code: 'connection-refused',
      });
      expect(await harness.port.probe(silent, NEVER)).toMatchObject({
        outcome: 'failed',
        code: 'timed-out',
      });
    });

    test('a probe that is ended says nothing about its target, and ends at once', async () => {
      const policy = await harness.target('hangs', PATIENT_MS);
      const stop = new AbortController();
      const work = harness.port.probe(policy, stop.signal);
      const startedAt = performance.now();
      stop.abort();
      expect(await work).toMatchObject({ outcome: 'not-probed', code: 'not-probed' });
      expect(performance.now() - startedAt).toBeLessThan(PATIENT_MS / 2);
    });

    test('a probe that was ended before it began is not begun', async () => {
      const policy = await harness.target('serves', PATIENT_MS);
      expect(await harness.port.probe(policy, AbortSignal.abort())).toMatchObject({
        outcome: 'not-probed',
      });
    });
  });
}
