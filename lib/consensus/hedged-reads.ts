/**
 * A register port that asks again while a read is not answered.
 *
 * A read that the network lost is waited for until its time limit, a second and a half, and whatever
 * needs the register waits with it: at a beat each second that is half of a lease (`confirmation.ts`).
 * So an unanswered read is asked again after a little while, and whichever is answered first counts.
 *
 * Invariants: each read that is sent begins within the call, so the answer is as fresh as the call asks
 * for; nothing but reads is repeated; and the call never ends later, nor with less, than its first read.
 *
 * Source: J. Dean and L. A. Barroso, "The Tail at Scale", CACM 2013 (hedged requests).
 */
import type { Clock } from '../base/clock.ts';
import type { RegisterPort, RegisterRead } from './register-port.ts';

/** Well above the longest usual way there and back, so that an ordinary day costs few second reads. */
const HEDGE_AFTER_MS = 300;
const HEDGES_MAX = 2;

export function withHedgedReads(port: RegisterPort, clock: Pick<Clock, 'sleep'>): RegisterPort {
  return { ...port, read: () => hedged(port.read, clock) };
}

function hedged(
  read: () => Promise<RegisterRead>,
  clock: Pick<Clock, 'sleep'>,
): Promise<RegisterRead> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const end = (outcome: RegisterRead) => {
      isOver = true;
      resolve(outcome);
    };
    const askAgain = async () => {
      for (let hedges = 0; hedges < HEDGES_MAX; hedges += 1) {
        await clock.sleep(HEDGE_AFTER_MS);
        if (isOver) {
          return;
        }
        read().then((outcome) => {
          if (outcome.kind !== 'unreachable') {
            end(outcome);
          }
        }, reject);
      }
    };
    read().then(end, reject);
    askAgain().catch(reject);
  });
}
