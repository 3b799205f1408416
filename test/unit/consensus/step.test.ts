/** The pure step, held against the Raft paper section by section, and its idempotence by property. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  commandId,
  logIndex,
  type RegionId,
  regionId,
  term,
} from '../../../lib/base/identifiers.ts';
import {
  type Configuration,
  foundingConfiguration,
  memberId,
  withLearner,
} from '../../../lib/consensus/membership.ts';
import type { Message } from '../../../lib/consensus/messages.ts';
import {
  type Base,
  type Command,
  configurationOf,
  type Entry,
  pristineServer,
  type Server,
} from '../../../lib/consensus/server.ts';
import { step } from '../../../lib/consensus/step.ts';

const A = regionId('us-east-1');
const B = regionId('us-east-2');
const C = regionId('us-west-2');
const ZERO: Base = { index: logIndex(0), term: term(0) };

function server(terms: readonly number[], changes: Partial<Server> = {}): Server {
  return {
    ...pristineServer({ clusterId: 'test', region: A, founders: [A, B, C], incarnation: 1 }),
    term: term(Math.max(0, ...terms)),
    entries: terms.map((entryTerm, i) => entryOf(i + 1, entryTerm)),
    ...changes,
  };
}

function entryOf(index: number, entryTerm: number): Entry {
  return {
    index: logIndex(index),
    term: term(entryTerm),
    command: commandOf(`e${index}-${entryTerm}`),
  };
}

function commandOf(id: string): Command {
  return { id: commandId(id), basis: logIndex(0), body: { text: id } };
}

function base(index: number, baseTerm: number): Base {
  return { index: logIndex(index), term: term(baseTerm) };
}

function append(changes: Partial<Extract<Message, { kind: 'append' }>>): Message {
  return {
    kind: 'append',
    term: term(3),
    leader: B,
    previous: ZERO,
    entries: [],
    commitIndex: logIndex(0),
    ...changes,
  };
}

function vote(voteTerm: number, last: Base, candidate: RegionId = B): Message {
  return { kind: 'vote', term: term(voteTerm), candidate, last };
}

const termsOf = ({ entries }: Server) => entries.map((entry) => entry.term);

describe('votes (paper section 5.2, 5.4.1)', () => {
  it('are given once a term', () => {
    const first = step(server([1]), vote(2, base(1, 1)));
    expect(first.reply.kind).toBe('yes');
    const second = step(first.server, vote(2, base(9, 9), C));
    expect(second.reply).toEqual({ kind: 'no', reason: 'voted-for-another' });
  });

  it('are refused to a shorter log of the same term, and to a longer one of an older term', () => {
    const voter = server([1, 2, 2]);
    expect(step(voter, vote(5, base(2, 2))).reply).toEqual({ kind: 'no', reason: 'log-behind' });
    expect(step(voter, vote(5, base(9, 1))).reply).toEqual({ kind: 'no', reason: 'log-behind' });
    expect(step(voter, vote(5, base(1, 3))).reply.kind).toBe('yes');
  });

  it('do not raise the term when they are refused for the log: a departure (docs/raft.md)', () => {
    const voter = server([1, 2, 2]);
    expect(step(voter, vote(5, base(2, 2))).server).toBe(voter);
  });

  it('are refused in a term that has passed', () => {
    const reply = step(server([1], { term: term(4) }), vote(3, base(9, 3))).reply;
    expect(reply).toEqual({ kind: 'no', reason: 'term-moved-on' });
  });

  it('end the leadership of the one who gives them', () => {
    const leader = server([2], { votedFor: A, leaderOf: term(2) });
    expect(step(leader, vote(3, base(1, 2))).server.leaderOf).toBe(0);
  });
});

describe('a candidate', () => {
  it('votes for itself before anybody else, and leads only in that very term', () => {
    const stood = step(server([1]), { kind: 'campaign', term: term(2) }).server;
    expect(stood).toMatchObject({ term: 2, votedFor: A, leaderOf: 0 });
    expect(step(stood, { kind: 'lead', term: term(3) }).reply.kind).toBe('no');
    const led = step(stood, { kind: 'lead', term: term(2) }).server;
    expect(led.leaderOf).toBe(2);
    expect(led.entries.at(-1)).toEqual({ index: 2, term: 2, command: null });
  });

  it('gives up the leadership of the term before, and appends nothing until it leads anew', () => {
    const leader = server([2], { votedFor: A, leaderOf: term(2) });
    const stood = step(leader, { kind: 'campaign', term: term(3) }).server;
    expect(stood.leaderOf).toBe(0);
    const propose = { commands: [commandOf('x')], commit: ZERO };
    const early = step(stood, { kind: 'propose', term: term(3), ...propose });
    expect(early.reply).toEqual({ kind: 'no', reason: 'not-leader' });
  });

  it('does not lead by a late order of a candidacy before the one it stands in now', () => {
    const stood = server([1], { term: term(3), votedFor: A });
    const late = step(stood, { kind: 'lead', term: term(2) });
    expect(late).toEqual({ server: stood, reply: { kind: 'no', reason: 'term-moved-on' } });
  });

  it('that leads already leads on, with nothing more in its log, when it is told to lead again', () => {
    const led = step(server([1], { term: term(2), votedFor: A }), { kind: 'lead', term: term(2) });
    const again = step(led.server, { kind: 'lead', term: term(2) });
    expect(again).toEqual({ server: led.server, reply: { kind: 'yes' } });
  });

  it('cannot lead on the vote it gave to another', () => {
    const voted = step(server([1]), vote(2, base(1, 1))).server;
    expect(step(voted, { kind: 'lead', term: term(2) }).reply).toEqual({
      kind: 'no',
      reason: 'not-candidate',
    });
  });

  it('is the same candidate when two processes stand for one region', () => {
    const stood = step(server([1]), { kind: 'campaign', term: term(2) }).server;
    const again = step(stood, { kind: 'campaign', term: term(2) });
    expect(again).toEqual({ server: stood, reply: { kind: 'yes' } });
  });
});

describe('AppendEntries (paper section 5.3)', () => {
  it('is refused when the entry before is missing or of another term', () => {
    const follower = server([1, 1]);
    const beyond = append({ previous: base(3, 1), entries: [entryOf(4, 3)] });
    const other = append({ previous: base(2, 2), entries: [entryOf(3, 3)] });
    expect(step(follower, beyond).reply).toEqual({ kind: 'no', reason: 'previous-missing' });
    expect(step(follower, other).reply).toEqual({ kind: 'no', reason: 'previous-missing' });
  });

  it('takes the vote of its term for the leader: nobody else gets it any more', () => {
    const follower = step(server([1]), append({ previous: base(1, 1), entries: [entryOf(2, 3)] }));
    const reply = step(follower.server, vote(3, base(9, 3), C)).reply;
    expect(reply).toEqual({ kind: 'no', reason: 'voted-for-another' });
  });

  it('cuts what conflicts, and only that', () => {
    const follower = server([1, 2, 2, 2]);
    const message = append({ previous: base(1, 1), entries: [entryOf(2, 3)] });
    expect(termsOf(step(follower, message).server)).toEqual([1, 3]);
  });

  it('is refused once the term has moved on: a late append of a deposed leader', () => {
    const follower = server([1, 3], { term: term(4), votedFor: C });
    const late = append({ previous: base(2, 3), entries: [entryOf(3, 3)] });
    const result = step(follower, late);
    expect(result).toEqual({ server: follower, reply: { kind: 'no', reason: 'term-moved-on' } });
  });

  it('never shortens a log by an older, shorter append of the same leader', () => {
    const follower = server([1, 3, 3]);
    const late = append({ previous: base(1, 1), entries: [entryOf(2, 3)] });
    expect(termsOf(step(follower, late).server)).toEqual([1, 3, 3]);
  });

  it('stops rather than cut a committed entry', () => {
    const follower = server([1, 2], { commitIndex: logIndex(2) });
    const message = append({ previous: base(1, 1), entries: [entryOf(2, 3)] });
    expect(() => step(follower, message)).toThrow('truncating-committed-entries');
  });

  it('stops when a second leader shows up in the term in which this region leads', () => {
    const leader = server([3], { votedFor: A, leaderOf: term(3) });
    expect(() => step(leader, append({}))).toThrow('two-leaders-in-one-term');
  });

  it('takes the commit index no further than the entries that came with it', () => {
    const follower = server([1, 1, 1]);
    const message = append({ previous: base(1, 1), commitIndex: logIndex(3) });
    expect(step(follower, message).server.commitIndex).toBe(1);
  });

  it('skips what the base covers', () => {
    const follower = server([], { base: base(3, 2), commitIndex: logIndex(3), term: term(2) });
    const message = append({
      previous: base(1, 1),
      entries: [entryOf(2, 1), entryOf(3, 2), entryOf(4, 3)],
    });
    expect(step(follower, message).server.entries.map(({ index }) => index)).toEqual([4]);
  });
});

describe('a proposal', () => {
  const leader = server([2], { votedFor: A, leaderOf: term(2) });
  const propose = (commands: readonly Command[], commit: Base = ZERO): Message => ({
    kind: 'propose',
    term: term(2),
    commands,
    commit,
  });

  it('is appended in the term of the leader', () => {
    const after = step(leader, propose([commandOf('x'), commandOf('y')])).server;
    expect(after.entries.map(({ index, term: t }) => [index, t])).toEqual([
      [1, 2],
      [2, 2],
      [3, 2],
    ]);
  });

  it('adds nothing for a command that is in the log already', () => {
    const once = step(leader, propose([commandOf('x')])).server;
    expect(step(once, propose([commandOf('x')])).server).toBe(once);
  });

  it('is refused by a region that does not lead', () => {
    expect(step(server([2]), propose([commandOf('x')])).reply).toEqual({
      kind: 'no',
      reason: 'not-leader',
    });
  });

  it('does not believe a commit that names another entry than the one it holds', () => {
    const after = step(leader, propose([commandOf('x')], base(1, 1))).server;
    expect(after.commitIndex).toBe(0);
  });
});

describe('snapshots (paper section 7)', () => {
  it('keep the entries behind a base that the log agrees with, and drop a log that does not', () => {
    const install = (baseTerm: number): Message => ({
      kind: 'install',
      term: term(3),
      leader: B,
      base: base(2, baseTerm),
      configuration: foundingConfiguration([A, B, C]),
    });
    expect(step(server([1, 1, 1]), install(1)).server).toMatchObject({
      base: { index: 2, term: 1 },
      commitIndex: 2,
      entries: [{ index: 3 }],
    });
    expect(step(server([1, 1, 1]), install(2)).server.entries).toEqual([]);
  });

  it('compact only up to an entry that is in the log', () => {
    const compact = (to: Base): Message => ({ kind: 'compact', base: to });
    expect(step(server([1, 1]), compact(base(2, 2))).reply).toEqual({
      kind: 'no',
      reason: 'not-in-log',
    });
    expect(step(server([1, 1]), compact(base(1, 1))).server.entries).toHaveLength(1);
  });
});

describe('who votes (paper section 6)', () => {
  const D = memberId(C, 2);
  const founders = foundingConfiguration([A, B, C]);
  const leading: Partial<Server> = { votedFor: A, leaderOf: term(2) };
  const change = (configuration: Configuration, commit: Base): Message => ({
    kind: 'change',
    term: term(2),
    configuration,
    commit,
  });

  it('changes by one step from a configuration that is committed', () => {
    const learning = withLearner(founders, D);
    const changed = step(server([2], leading), change(learning, base(1, 2)));
    expect(configurationOf(changed.server)).toEqual(learning);
    const skipped = { ...founders, voters: [A, B, D] };
    const refused = step(server([2], leading), change(skipped, base(1, 2)));
    expect(refused.reply).toEqual({ kind: 'no', reason: 'not-a-step' });
  });

  it('does not change while the change before is not committed', () => {
    const learning = withLearner(founders, D);
    const { server: changed } = step(server([2], leading), change(learning, base(1, 2)));
    const early = step(changed, change(founders, base(1, 2)));
    expect(early).toEqual({ server: changed, reply: { kind: 'no', reason: 'change-under-way' } });
    expect(step(changed, change(founders, base(2, 2))).reply.kind).toBe('yes');
  });

  it('is asked by whoever stands: a table that has no vote does not', () => {
    const without = server([1], { baseConfiguration: foundingConfiguration([B, C]) });
    const reply = step(without, { kind: 'campaign', term: term(2) }).reply;
    expect(reply).toEqual({ kind: 'no', reason: 'not-a-voter' });
  });

  it('comes along with a base', () => {
    const configuration = withLearner(founders, D);
    const install: Message = {
      kind: 'install',
      term: term(3),
      leader: B,
      base: base(5, 2),
      configuration,
    };
    expect(configurationOf(step(server([1]), install).server)).toEqual(configuration);
  });
});

describe('every message', () => {
  const terms = fc
    .array(fc.integer({ min: 1, max: 3 }), { maxLength: 5 })
    .map((list) => list.toSorted());
  const region = fc.constantFrom(B, C);
  const small = fc.integer({ min: 0, max: 6 });
  const messages: fc.Arbitrary<Message> = fc.oneof(
    fc.record({ kind: fc.constant('campaign' as const), term: small.map(term) }),
    fc.record({ kind: fc.constant('lead' as const), term: small.map(term) }),
    fc
      .tuple(small, small, small, region)
      .map(([t, index, lastTerm, candidate]) => vote(t, base(index, lastTerm), candidate)),
    fc.tuple(small, terms, region).map(([t, list, leader]) =>
      append({
        term: term(Math.max(t, ...list)),
        leader,
        entries: list.map((entryTerm, i) => entryOf(i + 1, entryTerm)),
      }),
    ),
    fc.tuple(small, small).map(
      ([t, n]): Message => ({
        kind: 'propose',
        term: term(t),
        commands: [commandOf(`p${n}`)],
        commit: ZERO,
      }),
    ),
  );

  it('is idempotent: a second time it gives the same reply and changes nothing', () => {
    fc.assert(
      fc.property(terms, messages, (list, message) => {
        const once = step(server(list), message);
        const twice = step(once.server, message);
        expect(twice.server).toBe(once.server);
        expect(once.reply.kind === 'no' || twice.reply.kind === 'yes').toBe(true);
      }),
      { seed: 20_261_123, numRuns: 500 },
    );
  });

  it('never lowers the term and never changes a vote within a term', () => {
    fc.assert(
      fc.property(terms, fc.array(messages, { maxLength: 6 }), (list, sequence) => {
        let current = server(list);
        for (const message of sequence) {
          const next = nextOf(current, message);
          expect(next.term).toBeGreaterThanOrEqual(current.term);
          expect(
            next.term > current.term ||
              current.votedFor === null ||
              next.votedFor === current.votedFor,
          ).toBe(true);
          current = next;
        }
      }),
      { seed: 20_261_123, numRuns: 300 },
    );
  });

  /** Histories that Raft rules out stop at an invariant; the server stays as it was. */
  function nextOf(current: Server, message: Message): Server {
    try {
      return step(current, message).server;
    } catch {
      return current;
    }
  }
});
