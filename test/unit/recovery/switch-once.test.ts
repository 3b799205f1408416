import { describe, expect, test } from 'vitest';
import { logIndex, term } from '../../../lib/base/identifiers.ts';
import { fenceName, formatFence } from '../../../lib/recovery/fence.ts';
import { SWITCH_LIMITS } from '../../../lib/recovery/switch-limits.ts';
import { previewSwitch, switchOnce } from '../../../lib/recovery/switch-once.ts';
import type { SwitchIntent } from '../../../lib/recovery/switch-plan.ts';
import type {
  ChangeOutcome,
  ReadOutcome,
  RecordSet,
  SwitchPort,
} from '../../../lib/recovery/switch-port.ts';

const INTENT: SwitchIntent = {
  dnsName: 'checkout.example.test',
  recordType: 'A',
  ttlSeconds: 5,
  targets: [{ site: 'us-west-2', address: '192.0.2.2', weight: 100 }],
  epoch: { term: term(3), index: logIndex(42) },
  run: 'checkout-42',
};
const OURS = fence(formatFence({ epoch: INTENT.epoch, site: 'us-west-2', run: INTENT.run }));
const OLDER = fence('v=tp1 term=3 index=41 site=us-east-1 run=checkout-41');
const NEWER = fence('v=tp1 term=3 index=43 site=us-east-1 run=checkout-43');
const EAST = address('192.0.2.1');
const WEST = address('192.0.2.2');
const BEFORE = read(OLDER, EAST);
const AFTER = read(OURS, WEST);
const LOST: ChangeOutcome = { kind: 'unknown', cause: 'reset' };
const BUSY: ChangeOutcome = { kind: 'busy', detail: 'another change' };
const CONFLICT: ChangeOutcome = { kind: 'conflict', detail: 'not found' };
const APPLIED: ChangeOutcome = { kind: 'applied', changeId: 'C7' };
const REFUSED: ChangeOutcome = { kind: 'refused', code: 'access-denied', detail: 'no' };
const UNREAD: ReadOutcome = { kind: 'unknown', cause: 'timeout' };

describe('one switch', () => {
  test('reads the fence before the records, plans, and changes once', async () => {
    const { outcome, calls } = await run([BEFORE], [APPLIED]);
    expect(outcome).toMatchObject({ kind: 'done', changeId: 'C7' });
    expect(calls).toEqual([
      'read _tripoint.checkout.example.test checkout.example.test',
      'change 4',
    ]);
  });

  test('after a conflict reads again at once', async () => {
    const { outcome, calls } = await run([BEFORE, read(OLDER, WEST)], [CONFLICT, APPLIED]);
    expect(outcome).toMatchObject({ kind: 'done', changeId: 'C7' });
    expect(calls.filter((call) => call.startsWith('sleep'))).toEqual([]);
  });

  test('after a conflict with a newer switch is stale', async () => {
    const { outcome } = await run([BEFORE, read(NEWER, EAST)], [CONFLICT]);
    expect(outcome).toMatchObject({ kind: 'stale', standing: { run: 'checkout-43' } });
  });

  test('after a lost answer waits, reads, and finds its own change', async () => {
    const { outcome, calls } = await run([BEFORE, AFTER], [LOST]);
    expect(outcome).toEqual({ kind: 'done', changeId: null, batch: [] });
    expect(calls.map((call) => call.split(' ')[0])).toEqual(['read', 'change', 'sleep', 'read']);
  });

  test('after a lost answer that was not applied changes again', async () => {
    const { outcome } = await run([BEFORE, BEFORE], [LOST, APPLIED]);
    expect(outcome).toMatchObject({ kind: 'done', changeId: 'C7' });
  });

  test('waits longer each time the zone is busy, up to the maximum', async () => {
    const { outcome, calls } = await run([BEFORE], [BUSY]);
    const waits = calls
      .filter((call) => call.startsWith('sleep'))
      .map((call) => Number(call.slice(6)));
    expect(outcome.kind).toBe('unknown');
    expect(waits).toHaveLength(SWITCH_LIMITS.attemptsMax - 1);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(SWITCH_LIMITS.backoffMsMin);
    expect(Math.max(...waits)).toBeLessThanOrEqual(SWITCH_LIMITS.backoffMsMax);
  });

  test('ends as unknown after the last attempt, never as failure or success', async () => {
    for (const outcomes of [[LOST], [CONFLICT]]) {
      const { outcome, calls } = await run([BEFORE], outcomes);
      expect(outcome.kind).toBe('unknown');
      expect(calls.filter((call) => call.startsWith('change'))).toHaveLength(
        SWITCH_LIMITS.attemptsMax,
      );
    }
  });

  test('reads again when a read is lost', async () => {
    const { outcome } = await run([UNREAD, BEFORE], [APPLIED]);
    expect(outcome.kind).toBe('done');
  });

  test('passes on a refusal by the zone', async () => {
    expect((await run([BEFORE], [REFUSED])).outcome).toEqual(REFUSED);
    const denied: ReadOutcome = { kind: 'refused', code: 'access-denied', detail: 'no' };
    expect((await run([denied], [])).outcome).toEqual(denied);
  });

  test('does not claim that nothing was changed once an answer was lost', async () => {
    const { outcome } = await run([BEFORE, BEFORE], [LOST, REFUSED]);
    expect(outcome).toMatchObject({ kind: 'unknown' });
  });

  test('reads twice before it says that someone changed the records', async () => {
    const { outcome, calls } = await run([read(OURS, EAST), read(OURS, EAST)], []);
    expect(outcome).toMatchObject({ kind: 'refused', code: 'changed-outside' });
    expect(calls).toHaveLength(2);
  });

  test('a newer switch between the two reads of a name is stale, not foul play', async () => {
    const { outcome } = await run([read(OURS, EAST), read(NEWER, EAST)], []);
    expect(outcome.kind).toBe('stale');
  });

  test('our own switch by another worker between the two reads is done', async () => {
    const torn = read(OLDER, WEST);
    const { outcome } = await run([torn, AFTER], [CONFLICT]);
    expect(outcome).toEqual({ kind: 'done', changeId: null, batch: [] });
  });
});

describe('a preview', () => {
  test('is the plan, and changes nothing', async () => {
    const { port, calls } = script([BEFORE], []);
    expect(await previewSwitch(port, INTENT)).toMatchObject({ kind: 'change' });
    expect(calls).toHaveLength(1);
  });

  test('passes on what it could not read', async () => {
    expect(await previewSwitch(script([UNREAD], []).port, INTENT)).toEqual(UNREAD);
  });
});

async function run(reads: readonly ReadOutcome[], changes: readonly ChangeOutcome[]) {
  const { port, calls } = script(reads, changes);
  const sleep = async (durationMs: number) => {
    calls.push(`sleep ${durationMs}`);
  };
  const outcome = await switchOnce(port, INTENT, { clock: { sleep }, random: () => 0.5 });
  return { outcome, calls };
}

/** A zone that answers from a script; the last line of each list is repeated. */
function script(reads: readonly ReadOutcome[], changes: readonly ChangeOutcome[]) {
  const calls: string[] = [];
  const next = <Line>(lines: readonly Line[], verb: string): Line => {
    const done = calls.filter((call) => call.startsWith(verb)).length;
    const line = lines[Math.min(done, lines.length) - 1] ?? lines.at(-1);
    if (line === undefined) {
      throw new Error(`the script has no ${verb}`);
    }
    return line;
  };
  const port: SwitchPort = {
    read: async (names) => {
      calls.push(`read ${names.join(' ')}`);
      return next(reads, 'read');
    },
    change: async (batch) => {
      calls.push(`change ${batch.length}`);
      return next(changes, 'change');
    },
    changeStatus: async () => ({ kind: 'unknown', cause: 'not in the script' }),
  };
  return { port, calls };
}

function read(...recordSets: readonly RecordSet[]): ReadOutcome {
  return { kind: 'read', recordSets, foreign: [] };
}

function address(value: string): RecordSet {
  return { name: INTENT.dnsName, type: 'A', ttlSeconds: 5, values: [value] };
}

function fence(text: string): RecordSet {
  return { name: fenceName(INTENT.dnsName), type: 'TXT', ttlSeconds: 5, values: [text] };
}
