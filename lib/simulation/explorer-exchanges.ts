/**
 * What each message does to each register: the real `step`, asked once for each pair.
 *
 * A message is named by the numbers of what it is built from (the leader's copy, the candidacy), so
 * that asking again costs one look into a table. The messages are those of `elector.ts`,
 * `log-host.ts`, `replicator.ts` and `compactor.ts`.
 */
import { logIndex, term as termOf } from '../base/identifiers.ts';
import type { Message, Reply } from '../consensus/messages.ts';
import { type Base, memberOf, type Server, termAt } from '../consensus/server.ts';
import { COMMANDS } from './explorer-catalogue.ts';
import type { Checks } from './explorer-checks.ts';
import { Memo, pairKey } from './explorer-memo.ts';
import type { Rules, Scope } from './explorer-scope.ts';
import type { Catalogues } from './explorer-symmetry.ts';

/** A register after a message; `server` is the number that went in when nothing needs writing. */
export interface Outcome {
  readonly server: number;
  readonly reply: Reply;
}

/** Room for the parts of a key: a second number, and a detail. */
const NUMBERS = 2 ** 20;
const DETAILS = 64;

export class Exchanges {
  readonly #rules: Rules;
  readonly #catalogues: Catalogues;
  readonly #checks: Checks;
  readonly #known = new Map<Message['kind'], Memo<Outcome | null>>();
  readonly #proven = new Memo<number>();
  readonly #writes = new Map<Message['kind'], number>();

  constructor(rules: Rules, catalogues: Catalogues, checks: Checks) {
    this.#rules = rules;
    this.#catalogues = catalogues;
    this.#checks = checks;
  }

  /** How many different writes each kind of message made: one that made none was not explored. */
  get writes(): ReadonlyMap<Message['kind'], number> {
    return this.#writes;
  }

  campaign(register: number, term: number): Outcome | null {
    return this.#once('campaign', { register, other: term, detail: 0 }, () => ({
      kind: 'campaign',
      term: termOf(term),
    }));
  }

  vote(register: number, candidacy: number): Outcome | null {
    return this.#once('vote', { register, other: candidacy, detail: 0 }, () => {
      const { term, candidate, last } = this.#catalogues.candidacies.valueOf(candidacy);
      return { kind: 'vote', term, candidate, last };
    });
  }

  lead(register: number, term: number): Outcome | null {
    return this.#once('lead', { register, other: term, detail: 0 }, () => ({
      kind: 'lead',
      term: termOf(term),
    }));
  }

  /** By a process that remembers `leader` and knows the log to be committed up to `commit`. */
  propose(register: number, leader: number, { commit, command }: Proposal): Outcome | null {
    const detail = commit * COMMANDS.length + command;
    return this.#once('propose', { register, other: leader, detail }, () => {
      const copy = this.#catalogues.servers.valueOf(leader);
      const commands = COMMANDS.slice(command, command + 1);
      return { kind: 'propose', term: copy.term, commands, commit: baseAt(copy, commit) };
    });
  }

  /** `entries` of those that are due; null when there are not so many, or a snapshot must come first. */
  append(register: number, leader: number, { commit, entries }: Portion): Outcome | null {
    const detail = commit * 8 + entries;
    return this.#once('append', { register, other: leader, detail }, (server) => {
      const copy = this.#catalogues.servers.valueOf(leader);
      const message = this.#rules.appendFor(copy, server, logIndex(commit));
      if (message?.kind !== 'append' || entries === ALL) {
        return message;
      }
      const isCut = entries < message.entries.length;
      return isCut ? { ...message, entries: message.entries.slice(0, entries) } : null;
    });
  }

  /** Only of a base that is beyond the register's own. */
  install(register: number, leader: number): Outcome | null {
    return this.#once('install', { register, other: leader, detail: 0 }, (server) => {
      const copy = this.#catalogues.servers.valueOf(leader);
      const { term, base, baseConfiguration: configuration } = copy;
      return base.index > server.base.index
        ? { kind: 'install', term, leader: memberOf(copy), base, configuration }
        : null;
    });
  }

  compact(register: number, base: Base): Outcome | null {
    const message: Message = { kind: 'compact', base };
    return this.#once('compact', { register, other: base.index, detail: base.term }, () => message);
  }

  /** How far this follower's copy proves the leader's copy committed. */
  proven(leader: number, follower: number): number {
    const { servers } = this.#catalogues;
    return this.#proven.of(pairKey(leader, follower), () =>
      this.#rules.committedIndex(servers.valueOf(leader), [servers.valueOf(follower)]),
    );
  }

  #once(
    kind: Message['kind'],
    { register, other, detail }: Key,
    messageFor: (server: Server) => Message | null,
  ): Outcome | null {
    let known = this.#known.get(kind);
    if (known === undefined) {
      known = new Memo();
      this.#known.set(kind, known);
    }
    const key = (register * NUMBERS + other) * DETAILS + detail;
    return known.of(key, () => this.#ask(register, messageFor));
  }

  #ask(register: number, messageFor: (server: Server) => Message | null): Outcome | null {
    const { servers } = this.#catalogues;
    const before = servers.valueOf(register);
    const message = messageFor(before);
    if (message === null) {
      return null;
    }
    const { server, reply } = this.#rules.step(before, message);
    this.#checks.write(before, server);
    if (server !== before) {
      this.#writes.set(message.kind, (this.#writes.get(message.kind) ?? 0) + 1);
    }
    return { server: servers.numberOf(server), reply };
  }
}

interface Key {
  readonly register: number;
  readonly other: number;
  readonly detail: number;
}

interface Proposal {
  readonly commit: number;
  /** Number of the command. */
  readonly command: number;
}

interface Portion {
  readonly commit: number;
  /** How many of the due entries; `ALL` for all of them. */
  readonly entries: number;
}

/** All the entries that are due: what the real replicator sends. */
export const ALL = 7;

/** How many of the due entries an append may carry. */
export function portions(scope: Scope, length: number): readonly number[] {
  return scope.areAppendsCut ? [ALL, ...Array.from({ length }, (_, some) => some)] : [ALL];
}

function baseAt(server: Server, index: number): Base {
  return { index: logIndex(index), term: termAt(server, logIndex(index)) ?? termOf(0) };
}
