/** Each promise, broken on purpose: a check that cannot fail checks nothing. */
import { beforeEach, describe, expect, test } from 'vitest';
import { commandId, logIndex, type RegionId, term } from '../../../lib/base/identifiers.ts';
import type { Copy } from '../../../lib/consensus/register-port.ts';
import type { AppliedEntry } from '../../../lib/consensus/replica.ts';
import type { Base, Server } from '../../../lib/consensus/server.ts';
import { NO_SESSIONS } from '../../../lib/consensus/sessions.ts';
import type { KeyValueState } from '../../../lib/simulation/key-value-machine.ts';
import { SafetyChecks } from '../../../lib/simulation/safety-checks.ts';
import { emptyServer, identityOf, MEMBERS } from '../../support/servers.ts';

const [A, B, C] = MEMBERS as [RegionId, RegionId, RegionId];

const WINDOW_ENTRIES = 10;

let copies: Map<RegionId, Copy>;
let snapshots: Set<string>;
let checks: SafetyChecks;

beforeEach(() => {
  copies = new Map();
  snapshots = new Set();
  const stores = {
    get copies() {
      return [...copies.values()];
    },
    hasSnapshot: (region: RegionId, { index }: Base) => snapshots.has(`${region}/${index}`),
  };
  checks = new SafetyChecks(stores, WINDOW_ENTRIES);
  for (const region of MEMBERS) {
    stand(region, {});
  }
});

/** Puts a register there, with entries of these terms. */
function stand(region: RegionId, changes: Partial<Server>, terms: readonly number[] = []): void {
  const before = copies.get(region);
  const server: Server = {
    ...emptyServer(identityOf({ region })),
    entries: terms.map((entryTerm, place) => entryOf(place + 1, entryTerm).entry),
    ...changes,
  };
  copies.set(region, { revision: (before?.revision ?? 0) + 1, server });
}

function entryOf(index: number, entryTerm: number, id = `c${index}`): AppliedEntry {
  const body = { kind: 'write', key: 'k', value: id };
  const command = { id: commandId(id), basis: logIndex(Math.max(0, index - 1)), body };
  return {
    entry: { index: logIndex(index), term: term(entryTerm), command },
    chain: `chain ${index} ${entryTerm} ${id}`,
  };
}

const led = (region: RegionId, at: number): Partial<Server> => ({
  term: term(at),
  votedFor: region,
  leaderOf: term(at),
});
const committed = { kind: 'committed', term: term(1), result: { kind: 'accepted' } } as const;
const X = commandId('x');

/** The entry (index 1, term 1) on all three, applied somewhere. */
function commitOne(): void {
  for (const region of MEMBERS) {
    stand(region, region === A ? led(A, 1) : { term: term(1), votedFor: A }, [1]);
  }
  checks.registers();
  checks.applied([entryOf(1, 1)]);
}

describe('registers', () => {
  test('two leaders of one term', () => {
    stand(A, led(A, 3), [3]);
    stand(B, led(B, 3), [3]);
    expect(() => checks.registers()).toThrow('two-leaders-in-one-term');
  });

  test('a leader that lacks what was committed before it', () => {
    commitOne();
    stand(C, led(C, 2), [2]);
    expect(() => checks.registers()).toThrow('leader-lacks-committed-entry');
  });

  test.each<readonly [string, Partial<Server>]>([
    ['register-term-fell', { term: term(0), votedFor: A }],
    ['register-voted-twice', { term: term(1), votedFor: B }],
  ])('%s', (code, changes) => {
    stand(C, { term: term(1), votedFor: C });
    checks.registers();
    stand(C, changes);
    expect(() => checks.registers()).toThrow(code);
  });

  test('a commit index that goes back', () => {
    commitOne();
    stand(B, { term: term(1), votedFor: A, commitIndex: logIndex(1) }, [1]);
    checks.registers();
    stand(B, { term: term(1), votedFor: A }, [1]);
    expect(() => checks.registers()).toThrow('register-commit-fell');
  });

  test('a commit index that names what a minority holds', () => {
    stand(B, { term: term(1), votedFor: B, commitIndex: logIndex(1) }, [1]);
    expect(() => checks.registers()).toThrow('committed-on-a-minority');
  });

  test('a base that was never committed, and one without its snapshot', () => {
    const base = { index: logIndex(1), term: term(1) };
    const compacted = { term: term(1), votedFor: A, base, commitIndex: logIndex(1) };
    commitOne();
    stand(B, compacted);
    expect(() => checks.registers()).toThrow('base-without-snapshot');
    snapshots.add(`${C}/1`);
    stand(C, compacted);
    expect(() => checks.registers()).not.toThrow();
    stand(C, {
      ...compacted,
      base: { index: logIndex(2), term: term(1) },
      commitIndex: logIndex(2),
    });
    expect(() => checks.registers()).toThrow();
  });

  test('logs that agree at an index and differ below it', () => {
    stand(B, { term: term(3), votedFor: A }, [1, 3]);
    stand(C, { term: term(3), votedFor: A }, [2, 3]);
    expect(() => checks.registers()).toThrow('logs-do-not-match');
  });

  test('a committed entry that is gone from a majority, without a word', () => {
    commitOne();
    stand(B, { term: term(1), votedFor: A });
    expect(() => checks.registers()).not.toThrow();
    stand(C, { term: term(1), votedFor: A });
    expect(() => checks.registers()).toThrow('committed-on-a-minority');
  });
});

describe('replicas', () => {
  test('that apply different entries at one index', () => {
    commitOne();
    expect(() => checks.applied([entryOf(1, 1, 'other')])).toThrow('replicas-diverge');
  });

  test('that apply what a minority holds', () => {
    stand(A, led(A, 1), [1]);
    expect(() => checks.applied([entryOf(1, 1)])).toThrow('committed-on-a-minority');
  });

  test('that came from a snapshot of another log', () => {
    commitOne();
    const replica = {
      applied: { index: logIndex(1), term: term(1) },
      chain: 'another chain',
      sessions: NO_SESSIONS,
      state: { count: 1, values: { k: 'c1' } },
    };
    expect(() => checks.replica(replica)).toThrow('replica-of-another-log');
  });

  test.each<readonly [string, KeyValueState]>([
    ['command-applied-twice', { count: 2, values: { k: 'c1' } }],
    ['command-not-applied', { count: 0, values: {} }],
    ['replica-state-differs', { count: 1, values: { k: 'c2' } }],
    ['replica-state-differs', { count: 1, values: { other: 'c1' } }],
    ['replica-state-differs', { count: 1, values: {} }],
  ])('that applied what was committed, and are not what it makes: %s', (code, state) => {
    commitOne();
    const at = { applied: { index: logIndex(1), term: term(1) }, chain: entryOf(1, 1).chain };
    const sound: KeyValueState = { count: 1, values: { k: 'c1' } };
    expect(() => checks.replica({ ...at, sessions: NO_SESSIONS, state: sound })).not.toThrow();
    expect(() => checks.replica({ ...at, sessions: NO_SESSIONS, state })).toThrow(code);
  });
});

describe('clients', () => {
  test('that are told two places of one command', () => {
    checks.outcome(X, { ...committed, index: logIndex(1) }, true);
    const again = { ...committed, index: logIndex(2) };
    expect(() => checks.outcome(X, again, false)).toThrow('acknowledged-twice');
  });

  test('that are told of a rejection of what was committed, before or after', () => {
    commitOne();
    const rejected = { kind: 'rejected', code: 'no-leader' } as const;
    expect(() => checks.outcome(commandId('c1'), rejected, false)).not.toThrow();
    expect(() => checks.outcome(commandId('c1'), rejected, true)).toThrow(
      'committed-command-rejected',
    );
    checks.outcome(commandId('c2'), rejected, true);
    for (const region of MEMBERS) {
      stand(region, { term: term(1), votedFor: A }, [1, 1]);
    }
    expect(() => checks.applied([entryOf(2, 1)])).toThrow('rejected-command-committed');
  });

  test('that are told of a command that is nowhere', () => {
    checks.outcome(X, { ...committed, index: logIndex(1) }, true);
    expect(() => checks.finish()).toThrow('acknowledged-command-lost');
  });

  test('that read less than somebody was told before', () => {
    checks.outcome(X, { ...committed, index: logIndex(7) }, true);
    const before = checks.highestObserved;
    expect(() => checks.read(before, logIndex(6))).toThrow('stale-read');
    expect(() => checks.read(before, logIndex(7))).not.toThrow();
  });
});
