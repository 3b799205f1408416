import { expect, test } from 'vitest';
import { createManualClock } from '../../support/manual-clock.ts';
import { startMemoryCluster } from '../../support/control-plane.ts';
import { FLEET, hashOf } from '../../support/control-plane-fixture.ts';
test('x', async () => {
  const clock = createManualClock(Date.UTC(2026, 10, 23, 9, 40));
  const cluster = await startMemoryCluster(clock);
  await cluster.commit({ kind: 'configure', at: clock.wallNow(), by: 't', reason: 'r', configHash: hashOf('a'), policies: FLEET });
  let ok = 0; const t0 = Date.now();
  for (let i = 0; i < 1500; i += 1) {
    const p = cluster.commit({ kind: 'note', at: clock.wallNow(), by: 't', reason: 'n'.repeat(480), service: 'checkout' }).then(() => { ok += 1; }, (e) => { console.log(i, String(e)); });
    if (i % 7 === 6) { let done = false; void p.then(() => { done = true; }); for (let k = 0; k < 80 && !done; k += 1) await clock.advance(100); if (!done || i === ok) {} }
    if (i - ok > 50) break;
  }
  console.log('ok', ok, cluster.plane.status().position, Date.now() - t0);
  expect(ok).toBeGreaterThan(0);
}, 60000);
