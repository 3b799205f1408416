/**
 * Negative controls of the explorer: the real rules with one of them wrong. Each must be found out,
 * or the explorer would prove nothing; the scope is one in which the wrong rule can do harm.
 */
import { logIndex, term as termOf } from '../../lib/base/identifiers.ts';
import type { Message } from '../../lib/consensus/messages.ts';
import { committedIndex, matchIndex } from '../../lib/consensus/progress.ts';
import { quorumIndex } from '../../lib/consensus/quorum.ts';
import {
  configurationOf,
  isLeader,
  lastEntry,
  memberOf,
  type Server,
  termAt,
} from '../../lib/consensus/server.ts';
import { type StepResult, step } from '../../lib/consensus/step.ts';
import { RULES, type Rules, type Scope } from '../../lib/simulation/explorer-scope.ts';
import { CROWD } from './explorer-scopes.ts';

export interface Control {
  readonly name: string;
  readonly rules: Rules;
  readonly scope: Scope;
}

/** Figure 8 of the paper needs four terms, and appends that carry less than the leader's no-op. */
const FIGURE_8: Scope = {
  ...CROWD,
  terms: 4,
  commands: 0,
  areAppendsCut: true,
  keepsLostLeaders: true,
};
const ONE_TERM: Scope = { ...CROWD, terms: 1, callers: 2 };

type MessageOf<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

/** The real step but for messages of one kind. */
function stepWith<Kind extends Message['kind']>(
  kind: Kind,
  wrong: (server: Server, message: MessageOf<Kind>) => StepResult,
): Rules {
  const isOfKind = (message: Message): message is MessageOf<Kind> => message.kind === kind;
  return {
    ...RULES,
    step: (server, message) => (isOfKind(message) ? wrong(server, message) : step(server, message)),
  };
}

/** What `step` makes of an altered server or message, unless it refuses. */
function unlessRefused(server: Server, result: StepResult): StepResult {
  return result.reply.kind === 'yes' ? result : { ...result, server };
}

const ENDLESS = { index: logIndex(1000), term: termOf(1000) };

const STEPS: readonly Control[] = [
  {
    name: 'a vote without the up-to-date check',
    rules: stepWith('vote', (server, message) => step(server, { ...message, last: ENDLESS })),
    scope: CROWD,
  },
  {
    name: 'a second vote in one term',
    rules: stepWith('vote', (server, message) =>
      unlessRefused(server, step({ ...server, votedFor: null }, message)),
    ),
    scope: CROWD,
  },
  {
    name: 'a vote that does not raise the term',
    rules: stepWith('vote', (server, message) => {
      const result = step(server, message);
      return result.server === server
        ? result
        : { ...result, server: { ...result.server, term: server.term } };
    }),
    scope: CROWD,
  },
  {
    name: 'an append that cuts off what it does not carry',
    rules: stepWith('append', (server, message) => {
      const result = step(server, message);
      const end = message.entries.at(-1)?.index ?? message.previous.index;
      const entries = result.server.entries.filter(({ index }) => index <= end);
      const isLonger = entries.length < result.server.entries.length;
      return isLonger && result.reply.kind === 'yes'
        ? { ...result, server: { ...result.server, entries } }
        : result;
    }),
    scope: CROWD,
  },
  {
    name: 'an append of a deposed leader',
    rules: stepWith('append', (server, message) =>
      isLeader(server)
        ? step(server, message)
        : step(server, { ...message, term: termOf(Math.max(server.term, message.term)) }),
    ),
    scope: CROWD,
  },
  {
    name: 'a proposal to a region that leads no more',
    rules: stepWith('propose', (server, message) => {
      if (isLeader(server) || server.term < message.term) {
        return step(server, message);
      }
      const leading = { ...server, leaderOf: server.term, votedFor: memberOf(server) };
      const { server: after, reply } = step(leading, { ...message, term: server.term });
      const { leaderOf, votedFor } = server;
      return { server: after === leading ? server : { ...after, leaderOf, votedFor }, reply };
    }),
    scope: CROWD,
  },
  {
    name: 'a commit hint beyond what the append carries',
    rules: stepWith('append', (server, message) => {
      const result = step(server, message);
      const hint = Math.min(message.commitIndex, lastEntry(result.server).index);
      const isHigher = result.reply.kind === 'yes' && hint > result.server.commitIndex;
      return isHigher
        ? { ...result, server: { ...result.server, commitIndex: logIndex(hint) } }
        : result;
    }),
    scope: { ...CROWD, hasHints: true, areAppendsCut: true },
  },
  {
    name: 'a base that takes the log behind it along',
    rules: stepWith('install', (server, message) => {
      const result = step(server, message);
      return result.server.base.index > server.base.index
        ? { ...result, server: { ...result.server, entries: [] } }
        : result;
    }),
    scope: { ...ONE_TERM, commands: 2, hasHints: true, hasCompaction: true },
  },
];

const JUDGEMENTS: readonly Control[] = [
  {
    name: 'a commit that counts the leader alone',
    rules: {
      ...RULES,
      committedIndex: (leader, followers) =>
        isLeader(leader) ? lastEntry(leader).index : committedIndex(leader, followers),
    },
    scope: CROWD,
  },
  {
    name: 'an acknowledgement of a register whose term has moved on',
    rules: {
      ...RULES,
      committedIndex: (leader, followers) =>
        committedIndex(
          leader,
          followers.map((follower) => ({ ...follower, term: leader.term })),
        ),
    },
    scope: FIGURE_8,
  },
  {
    name: 'a commit through an entry of an older term',
    rules: {
      ...RULES,
      committedIndex: (leader, followers) => {
        const inTerm = followers.filter(({ term }) => term === leader.term);
        const held = new Map([[memberOf(leader), lastEntry(leader).index]]);
        for (const follower of inTerm) {
          held.set(memberOf(follower), matchIndex(leader, follower) ?? logIndex(0));
        }
        const agreed = logIndex(quorumIndex(configurationOf(leader), held));
        return isLeader(leader) && termAt(leader, agreed) !== null ? agreed : leader.commitIndex;
      },
    },
    scope: FIGURE_8,
  },
];

const CLIENTS: readonly Control[] = [
  {
    name: 'a leader by its own vote alone',
    rules: { ...RULES, isQuorum: (_, members) => members.size > 0 },
    scope: CROWD,
  },
  {
    name: 'a refusal that counts as a vote',
    rules: { ...RULES, isVote: () => true },
    scope: CROWD,
  },
  {
    name: 'a write at whatever revision stands there',
    rules: { ...RULES, isTaken: () => true },
    scope: { ...CROWD, callers: 1, lateWrites: 1 },
  },
  {
    name: 'a reply believed from a stale copy',
    rules: { ...RULES, isBelieved: () => true },
    scope: { ...ONE_TERM, hasReads: true },
  },
];

export const CONTROLS: readonly Control[] = [...STEPS, ...JUDGEMENTS, ...CLIENTS];
