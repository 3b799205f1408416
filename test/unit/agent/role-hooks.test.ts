import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandOutcome, CommandRunner } from '../../../lib/agent/child-command.ts';
import type { SiteRole } from '../../../lib/agent/role.ts';
import { createRoleHooks, type HookEvent, type HookGoal } from '../../../lib/agent/role-hooks.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const role = (name: SiteRole['role'], term: number): SiteRole => ({
  role: name,
  epoch: { term, index: 1 },
});
const active = (term: number): HookGoal => ({ role: role('active', term), reason: 'answered' });
const standby = (term: number): HookGoal => ({ role: role('standby', term), reason: 'answered' });
const lapsed = (term: number): HookGoal => ({
  role: role('unknown', term),
  reason: 'lease-lapsed',
});

const OK: CommandOutcome = { kind: 'exited', code: 0, output: '' };
const FAILED: CommandOutcome = { kind: 'exited', code: 1, output: '' };

interface Script {
  /** How long a run takes, and how it ends. */
  readonly promote?: (run: number) => readonly [number, CommandOutcome];
  readonly demote?: (run: number) => readonly [number, CommandOutcome];
}

function startHooks(script: Script = {}) {
  const clock = createManualClock(0);
  const done: string[] = [];
  const events: HookEvent[] = [];
  let running = 0;
  let runningMost = 0;
  const runnerOf = (name: string, of: Script['promote'] = () => [10, OK]): CommandRunner => {
    let runs = 0;
    return async ({ environment, signal }) => {
      runs += 1;
      running += 1;
      runningMost = Math.max(runningMost, running);
      const [tookMs, outcome] = of(runs);
      await clock.sleep(tookMs, signal);
      running -= 1;
      const ended: CommandOutcome = signal.aborted ? { kind: 'cancelled', output: '' } : outcome;
      done.push(`${name} ${environment['TERM_OF_ROLE']} ${ended === OK ? 'ok' : ended.kind}`);
      return ended;
    };
  };
  const hooks = createRoleHooks({
    promote: runnerOf('promote', script.promote),
    demote: runnerOf('demote', script.demote),
    environmentOf: ({ role: { epoch } }) => ({ TERM_OF_ROLE: String(epoch?.term) }),
    clock,
    random: () => 0.5,
    onEvent: (event) => events.push(event),
  });
  return { clock, hooks, done, events, runningMost: () => runningMost };
}

describe('role hooks', () => {
  it('run once for a role, and again for a newer epoch of an active one only', async () => {
    const { clock, hooks, done } = startHooks();
    for (const goal of [active(1), active(1), active(2), standby(3), standby(4), lapsed(4)]) {
      hooks.follow(goal);
      await clock.advance(100);
    }
    expect(done).toEqual(['promote 1 ok', 'promote 2 ok', 'demote 3 ok']);
    expect(hooks.achieved()).toBe('demote');
    await hooks.stop();
  });

  it('skip the roles that came and went while one was running', async () => {
    const { clock, hooks, done } = startHooks();
    for (const goal of [standby(1), active(2), standby(3), active(4)]) {
      hooks.follow(goal);
      await clock.advance(1);
    }
    await clock.advance(1000);
    expect(done).toEqual(['demote 1 ok', 'promote 4 ok']);
    await hooks.stop();
  });

  it('end a promotion that is in the way of a demotion, at once', async () => {
    const { clock, hooks, done, events } = startHooks({ promote: () => [60_000, OK] });
    hooks.follow(active(1));
    await clock.advance(100);
    hooks.follow(lapsed(1));
    await clock.advance(11);
    expect(done).toEqual(['promote 1 cancelled', 'demote 1 ok']);
    expect(events.at(-1)).toMatchObject({ kind: 'hook-ended', action: 'demote', tookMs: 10 });
    await hooks.stop();
  });

  it('let a demotion finish before a promotion begins', async () => {
    const { clock, hooks, done } = startHooks({ demote: () => [5000, OK] });
    hooks.follow(standby(1));
    await clock.advance(100);
    hooks.follow(active(2));
    await clock.advance(4000);
    expect(done).toEqual([]);
    await clock.advance(2000);
    expect(done).toEqual(['demote 1 ok', 'promote 2 ok']);
    await hooks.stop();
  });

  it('try a demotion until it succeeds, with growing pauses that stay below a bound', async () => {
    const { clock, hooks, events } = startHooks({ demote: (n) => [10, n < 12 ? FAILED : OK] });
    hooks.follow(standby(1));
    await clock.advance(60_000);
    const waits = events.flatMap((event) => (event.kind === 'hook-ended' ? [event.retryMs] : []));
    expect(waits).toHaveLength(12);
    expect(waits.at(-1)).toBeNull();
    expect(Math.max(...waits.map(Number))).toBeLessThanOrEqual(5000);
    expect(Number(waits[3])).toBeGreaterThan(Number(waits[0]));
    expect(hooks.achieved()).toBe('demote');
    await hooks.stop();
  });

  it('do not try again what is no longer wanted, and do not wait out the pause', async () => {
    const { clock, hooks, done } = startHooks({ promote: () => [10, FAILED] });
    hooks.follow(active(1));
    await clock.advance(3000);
    const tries = done.length;
    hooks.follow(standby(2));
    await clock.advance(11);
    expect(done.slice(tries)).toEqual(['demote 2 ok']);
    await clock.advance(60_000);
    expect(done).toHaveLength(tries + 1);
    await hooks.stop();
  });

  it('promote again after a demotion that failed half-way', async () => {
    const { clock, hooks, done } = startHooks({ demote: () => [10, FAILED] });
    hooks.follow(active(1));
    await clock.advance(100);
    hooks.follow(lapsed(1));
    await clock.advance(15);
    hooks.follow(active(1));
    await clock.advance(100);
    expect(done).toEqual(['promote 1 ok', 'demote 1 exited', 'promote 1 ok']);
    await hooks.stop();
  });

  it('say when they are settled, and do not wait for ever', async () => {
    const { clock, hooks } = startHooks({ demote: (n) => [n === 1 ? 10 : 60_000, OK] });
    expect(await hooks.settled(0)).toBe(true);
    hooks.follow(standby(1));
    const settled = hooks.settled(1000);
    await clock.advance(20);
    expect(await settled).toBe(true);
    hooks.follow(active(2));
    await clock.advance(100);
    hooks.follow(standby(3));
    const tooLong = hooks.settled(1000);
    await clock.advance(1001);
    expect(await tooLong).toBe(false);
    await hooks.stop();
    expect(clock.sleeperCount()).toBe(0);
  });

  it('end with what is under way, and begin nothing after', async () => {
    const { clock, hooks, done } = startHooks({ promote: () => [60_000, OK] });
    hooks.follow(active(1));
    await clock.advance(10);
    await hooks.stop();
    hooks.follow(standby(2));
    await clock.advance(1000);
    expect(done).toEqual(['promote 1 cancelled']);
  });

  it('reach the latest role whatever comes in whatever order, one command at a time', async () => {
    const step = fc.record({
      active: fc.boolean(),
      term: fc.nat({ max: 3 }),
      waitMs: fc.nat({ max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
        const ends = [OK, FAILED, OK];
        const { clock, hooks, done, runningMost } = startHooks({
          promote: (n) => [15, ends[n % 3] ?? OK],
          demote: (n) => [15, ends[n % 3] ?? OK],
        });
        let last = '';
        for (const { active: isActive, term, waitMs } of steps) {
          hooks.follow(isActive ? active(term) : standby(term));
          last = isActive ? `promote ${term} ok` : 'demote';
          await clock.advance(waitMs);
        }
        await clock.advance(120_000);
        expect(runningMost()).toBe(1);
        const reached = done.findLast((line) => line.endsWith(' ok')) ?? '';
        expect(reached.startsWith(last)).toBe(true);
        await hooks.stop();
        expect(clock.sleeperCount()).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});
