import { expect, test } from 'vitest';
import { freshStatus } from '../../../lib/api/fresh-status.ts';
import { API_LIMITS } from '../../../lib/api/limits.ts';
import type { ControlPlane, StatusView } from '../../../lib/control/control-plane.ts';
import { createManualClock } from '../../support/manual-clock.ts';

function planeThat(look: () => Promise<void>, seen: { at: number }): ControlPlane {
  const status = () => ({ at: seen.at }) as StatusView;
  return { look, status } as Partial<ControlPlane> as ControlPlane;
}

test('a status is made after the sites were read', async () => {
  const clock = createManualClock();
  const seen = { at: 1 };
  const look = async () => {
    seen.at = 2;
  };
  expect((await freshStatus({ plane: planeThat(look, seen), clock })).at).toBe(2);
});

test('a health table that does not answer keeps no status from being shown', async () => {
  const clock = createManualClock();
  const never = () => new Promise<void>(() => undefined);
  const shown = freshStatus({ plane: planeThat(never, { at: 1 }), clock });
  let isShown = false;
  void shown.then(() => {
    isShown = true;
  });
  await clock.advance(API_LIMITS.lookPatienceMs - 1);
  expect(isShown).toBe(false);
  await clock.advance(1);
  expect((await shown).at).toBe(1);
});
