/**
 * What a transcript can tell of registers: the messages of Raft, one by one, in any order, late or
 * twice. Everything is decided by `step` and `progress`; nothing here knows a rule of Raft.
 */
import {
  commandId,
  logIndex,
  type RegionId,
  regionId,
  term,
} from '../../../lib/base/identifiers.ts';
import type { Message } from '../../../lib/consensus/messages.ts';
import { appendFor, committedIndex } from '../../../lib/consensus/progress.ts';
import {
  type Base,
  type Entry,
  isLeader,
  lastEntry,
  pristineServer,
  type Server,
  termAt,
} from '../../../lib/consensus/server.ts';
import { step } from '../../../lib/consensus/step.ts';
import type { Command } from './transcript.ts';

type Verb = (command: Command) => string;

export class RegisterStory {
  readonly #servers = new Map<RegionId, Server>();
  /** What processes remember of registers, by name. */
  readonly #copies = new Map<string, Server>();
  /** Messages that are on their way, by name. */
  readonly #held = new Map<string, Message>();

  readonly answer = async (command: Command): Promise<string> => {
    const verb = this.#verbs[command.name];
    if (verb === undefined) {
      throw new Error(`no command is called ${command.name}`);
    }
    return verb(command);
  };

  readonly #verbs: { readonly [name: string]: Verb } = {
    registers: ({ words }) => {
      const members = words.map(regionId);
      for (const region of members) {
        this.#servers.set(region, pristine(region, members));
      }
      return `${words.length} registers`;
    },
    log: (command) => this.#setLog(command),
    campaign: (command) => this.#send(at(command), { kind: 'campaign', term: termIn(command) }),
    vote: (command) => this.#vote(command),
    lead: (command) => this.#send(at(command), { kind: 'lead', term: termIn(command) }),
    propose: (command) => this.#propose(command),
    append: (command) => this.#append(command),
    deliver: ({ words, options }) => {
      const message = this.#held.get(words[0] ?? '');
      if (message === undefined) {
        throw new Error(`no message is called ${words[0]}`);
      }
      return this.#send(regionId(options.get('to') ?? ''), message);
    },
    compact: (command) => this.#send(at(command), { kind: 'compact', base: this.#base(command) }),
    install: (command) => {
      const leader = this.#server(from(command));
      const { region } = leader.identity;
      const message = {
        kind: 'install',
        term: leader.term,
        leader: region,
        base: leader.base,
        configuration: leader.baseConfiguration,
      } as const;
      return this.#send(regionId(command.options.get('to') ?? ''), message);
    },
    committed: (command) => this.#committed(command),
    remember: (command) => this.#remember(command),
    show: () => [...this.#servers.values()].map(describe).join('\n'),
  };

  #server(region: RegionId): Server {
    const server = this.#servers.get(region);
    if (server === undefined) {
      throw new Error(`no register is called ${region}`);
    }
    return server;
  }

  #send(region: RegionId, message: Message): string {
    const { server, reply } = step(this.#server(region), message);
    this.#servers.set(region, server);
    const answer = reply.kind === 'yes' ? 'yes' : `no: ${reply.reason}`;
    return `${answer}\n${describe(server)}`;
  }

  /** A log that came about earlier: `terms=1,1,2`, and what else differs from a pristine register. */
  #setLog(command: Command): string {
    const { options } = command;
    const region = at(command);
    const terms = (options.get('terms') ?? '').split(',').filter(Boolean).map(Number);
    const entries = terms.map((entryTerm, place) => entryOf(place + 1, entryTerm));
    const server: Server = {
      ...this.#server(region),
      term: term(Number(options.get('term') ?? terms.at(-1) ?? 0)),
      votedFor: options.has('vote') ? regionId(options.get('vote') ?? '') : null,
      entries,
    };
    this.#servers.set(region, server);
    return describe(server);
  }

  #vote(command: Command): string {
    const candidate = this.#server(regionId(command.options.get('for') ?? ''));
    const { index, term: lastTerm } = lastEntry(candidate);
    return this.#send(at(command), {
      kind: 'vote',
      term: termIn(command),
      candidate: candidate.identity.region,
      last: { index, term: lastTerm },
    });
  }

  #propose(command: Command): string {
    const [region = '', ...names] = command.words;
    const server = this.#server(regionId(region));
    return this.#send(regionId(region), {
      kind: 'propose',
      term: server.term,
      commands: names.map((name) => ({ id: commandId(name), basis: logIndex(0), body: name })),
      commit: { index: logIndex(0), term: term(0) },
    });
  }

  /**
   * The append that levels the follower, as the replicator makes it; cut after `upTo=` where the
   * story needs one that never came from it; kept on its way as `as=` instead of delivered.
   */
  #append(command: Command): string {
    const { options } = command;
    const to = regionId(options.get('to') ?? '');
    const commit = logIndex(Number(options.get('commit') ?? 0));
    const message = appendFor(this.#server(from(command)), this.#server(to), commit);
    if (message?.kind !== 'append') {
      return 'the follower needs a snapshot first';
    }
    const upTo = Number(options.get('upTo') ?? Number.POSITIVE_INFINITY);
    const cut = { ...message, entries: message.entries.filter(({ index }) => index <= upTo) };
    const name = options.get('as');
    if (name !== undefined) {
      this.#held.set(name, cut);
      const what = cut.entries.length === 0 ? 'no entry' : `entries ${namesOf(cut.entries)}`;
      return `on its way: ${what} after ${cut.previous.index}`;
    }
    return this.#send(to, cut);
  }

  /** A process's copy of a register, which stays as it is while the register goes on. */
  #remember(command: Command): string {
    const copy = this.#server(at(command));
    this.#copies.set(command.options.get('as') ?? '', copy);
    return describe(copy);
  }

  #base(command: Command): Base {
    const index = logIndex(Number(command.options.get('upTo')));
    return { index, term: termAt(this.#server(at(command)), index) ?? term(0) };
  }

  /** What the leader may call committed when it sees these registers as they are now. */
  #committed(command: Command): string {
    const [region = '', ...others] = command.words;
    const followers = others.map((name) => this.#server(regionId(name)));
    const leader = this.#copies.get(region) ?? this.#server(regionId(region));
    const index = committedIndex(leader, followers);
    return index === 0 ? 'nothing new' : `up to ${index}`;
  }
}

function at({ words }: Command): RegionId {
  return regionId(words[0] ?? '');
}

function from({ options }: Command): RegionId {
  return regionId(options.get('from') ?? '');
}

function termIn({ options }: Command): Server['term'] {
  return term(Number(options.get('term')));
}

function entryOf(index: number, entryTerm: number): Entry {
  const id = commandId(`${index}/${entryTerm}`);
  const command = { id, basis: logIndex(0), body: null };
  return { index: logIndex(index), term: term(entryTerm), command };
}

/** One line about a register. */
export function describe(server: Server): string {
  const { base, entries, commitIndex, votedFor } = server;
  const role = isLeader(server) ? 'leads' : `voted ${votedFor ?? 'for nobody'}`;
  const log = `${base.index === 0 ? '' : `[..${base.index}] `}${namesOf(entries)}`.trim();
  return `${server.identity.region}: term ${server.term}, ${role}, committed ${commitIndex}, log ${log || 'empty'}`;
}

function namesOf(entries: readonly Entry[]): string {
  return entries.map(nameOf).join(' ');
}

/** `term:command`; the no-op is a star. */
function nameOf({ term: entryTerm, command }: Entry): string {
  const id: string = command?.id ?? '*';
  return id.includes('/') ? String(entryTerm) : `${entryTerm}:${id}`;
}

function pristine(region: RegionId, founders: readonly RegionId[]): Server {
  return pristineServer({ clusterId: 'story', region, founders, incarnation: 1 });
}
