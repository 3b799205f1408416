import { expect, test } from 'vitest';
import { withHedgedReads } from '../../../lib/consensus/hedged-reads.ts';
import type { RegisterPort, RegisterRead } from '../../../lib/consensus/register-port.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const LOST: RegisterRead = { kind: 'unreachable', cause: 'no answer in time' };

/** A register that is asked; each read is answered by hand. */
function createRegister() {
  const clock = createManualClock(0);
  const reads: PromiseWithResolvers<RegisterRead>[] = [];
  const read = () => {
    const asked = Promise.withResolvers<RegisterRead>();
    reads.push(asked);
    return asked.promise;
  };
  return { clock, reads, port: withHedgedReads({ read } as RegisterPort, clock) };
}

test('a read that is answered soon is asked once', async () => {
  const { clock, reads, port } = createRegister();
  const read = port.read();
  await clock.advance(299);
  reads[0]?.resolve(LOST);
  expect(await read).toBe(LOST);
  await clock.advance(2000);
  expect(reads).toHaveLength(1);
});

test('a read that is not answered is asked three times, and the first answer counts', async () => {
  const { clock, reads, port } = createRegister();
  const read = port.read();
  await clock.advance(2000);
  expect(reads).toHaveLength(3);
  const answer = { kind: 'absent' } as unknown as RegisterRead;
  reads[1]?.resolve(LOST);
  reads[2]?.resolve(answer);
  expect(await read).toBe(answer);
});
