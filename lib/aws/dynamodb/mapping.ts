/**
 * A Raft server as an item, and back.
 *
 *   pk `register`  sk <group>   revision, cluster, region, founders, incarnation, term, votedFor?,
 *                               leaderOf, baseIndex, baseTerm, voters, outgoing?, learners?, commit, log
 *   pk `beat`      sk <group>   term, leader, counter, commitIndex, commitTerm
 *
 * The group names the Raft group in its table; one Query of `register` lists a region's groups. The
 * cluster and the region stand in the attributes and not in the key on purpose: two clusters, or two
 * regions, that share a table must meet in one item and halt, not live side by side unseen.
 *
 * The log is one compact JSON string, because the item is always written whole and read whole. An
 * entry is `[term]` (no-op), `[term,"id",basis,body]` or `[term,[voters,outgoing,learners]]`; its
 * index is the base's plus its place.
 * Size: an entry costs its body's JSON, its id, and 10 to 30 bytes; everything but the log costs
 * under 400 bytes with three regions. So 380 KB hold about 1,500 commands of 200 bytes, but the
 * write is charged by the KB of the whole item: keep the tail short.
 */
import { commandId, logIndex, regionId, term } from '../../base/identifiers.ts';
import { invariant } from '../../base/invariant.ts';
import type { JsonValue } from '../../base/json.ts';
import type { Configuration, MemberId } from '../../consensus/membership.ts';
import { incarnationOf, memberId, regionOf } from '../../consensus/membership.ts';
import type { Beat, Copy, Revision } from '../../consensus/register-port.ts';
import { type Base, checkServer, type Entry, type Server } from '../../consensus/server.ts';
import { entryText } from '../../consensus/size.ts';
import {
  type Item,
  type ItemKey,
  type ItemReader,
  integerValue,
  readItem,
  textValue,
} from './attributes.ts';

const CORRUPT = {
  code: 'register-corrupt',
  hint:
    'Something other than Tripoint wrote to the consensus table. Delete the item `register`; the ' +
    'other regions go on without it. Then run `tripoint region replace`.',
};

export function registerKey(group: string): ItemKey {
  return { partition: 'register', sort: group };
}

export function beatKey(group: string): ItemKey {
  return { partition: 'beat', sort: group };
}

/** The item without its key. */
export function encodeRegister(revision: Revision, server: Server): Item {
  return {
    ...encodeIdentity(server.identity),
    revision: integerValue(revision),
    term: integerValue(server.term),
    ...(server.votedFor === null ? {} : { votedFor: textValue(server.votedFor) }),
    leaderOf: integerValue(server.leaderOf),
    baseIndex: integerValue(server.base.index),
    baseTerm: integerValue(server.base.term),
    ...encodeConfiguration(server.baseConfiguration),
    commit: integerValue(server.commitIndex),
    log: textValue(encodeLog(server.entries)),
  };
}

/** The attributes that say whose register this is. */
export function encodeIdentity(identity: Server['identity']): {
  readonly cluster: { readonly S: string };
  readonly region: { readonly S: string };
  readonly founders: { readonly S: string };
  readonly incarnation: { readonly N: string };
} {
  return {
    cluster: textValue(identity.clusterId),
    region: textValue(identity.region),
    founders: textValue(identity.founders.join(',')),
    incarnation: integerValue(identity.incarnation),
  };
}

function encodeConfiguration({ voters, outgoing, learners }: Configuration): Item {
  return {
    voters: textValue(voters.join(',')),
    ...(outgoing === null ? {} : { outgoing: textValue(outgoing.join(',')) }),
    ...(learners.length === 0 ? {} : { learners: textValue(learners.join(',')) }),
  };
}

/** @throws AppError `register-corrupt` */
export function decodeRegister(item: Item): Copy {
  const read = readItem(item, CORRUPT);
  try {
    const server = decodeServer(read);
    checkServer(server);
    const revision = read.integer('revision');
    return revision >= 1 ? { revision, server } : read.fail('revision below 1');
  } catch (error) {
    return read.fail('the attributes do not make a Raft server', error);
  }
}

function decodeServer(read: ItemReader): Server {
  const votedFor = read.textOrNull('votedFor');
  const base: Base = {
    index: logIndex(read.integer('baseIndex')),
    term: term(read.integer('baseTerm')),
  };
  return {
    identity: {
      clusterId: read.text('cluster'),
      region: regionId(read.text('region')),
      founders: read.text('founders').split(',').map(regionId),
      incarnation: read.integer('incarnation'),
    },
    term: term(read.integer('term')),
    votedFor: votedFor === null ? null : decodeMember(votedFor),
    leaderOf: term(read.integer('leaderOf')),
    base,
    baseConfiguration: {
      voters: decodeMembers(read.text('voters')),
      outgoing: decodeMembersOrNull(read.textOrNull('outgoing')),
      learners: decodeMembersOrNull(read.textOrNull('learners')) ?? [],
    },
    entries: decodeLog(read, base),
    commitIndex: logIndex(read.integer('commit')),
  };
}

function decodeMembersOrNull(text: string | null): readonly MemberId[] | null {
  return text === null ? null : decodeMembers(text);
}

function decodeMembers(text: string): readonly MemberId[] {
  return text.split(',').map(decodeMember);
}

/** @throws InvariantError unless it is the id of a member. */
function decodeMember(text: string): MemberId {
  const member = memberId(regionId(regionOf(text as MemberId)), incarnationOf(text as MemberId));
  invariant(member === text, 'member-malformed', { text });
  return member;
}

function encodeLog(entries: readonly Entry[]): string {
  return `[${entries.map(entryText).join(',')}]`;
}

function decodeLog(read: ItemReader, base: Base): readonly Entry[] {
  const entries: unknown = JSON.parse(read.text('log'));
  if (!Array.isArray(entries)) {
    return read.fail('the log is not a list');
  }
  return entries.map((entry: unknown, place) => {
    const index = logIndex(base.index + 1 + place);
    return Array.isArray(entry) ? decodeEntry(read, index, entry) : read.fail(`entry ${index}`);
  });
}

function decodeEntry(read: ItemReader, index: Entry['index'], fields: readonly unknown[]): Entry {
  const [entryTerm, id, basis, body] = fields;
  if (typeof entryTerm !== 'number') {
    return read.fail(`entry ${index} has no term`);
  }
  if (fields.length === 1) {
    return { index, term: term(entryTerm), command: null };
  }
  if (fields.length === 2) {
    const configuration = decodeChange(read, index, fields[1]);
    return { index, term: term(entryTerm), command: null, configuration };
  }
  if (fields.length !== 4 || typeof id !== 'string' || typeof basis !== 'number') {
    return read.fail(`entry ${index} is malformed`);
  }
  return {
    index,
    term: term(entryTerm),
    // Parsed JSON is a JsonValue by construction.
    command: { id: commandId(id), basis: logIndex(basis), body: body as JsonValue },
  };
}

function decodeChange(read: ItemReader, index: Entry['index'], lists: unknown): Configuration {
  const [voters, outgoing, learners] = Array.isArray(lists) ? (lists as readonly unknown[]) : [];
  if (!isTexts(voters) || !isTexts(learners) || !(outgoing === null || isTexts(outgoing))) {
    return read.fail(`entry ${index} names no members`);
  }
  return {
    voters: voters.map(decodeMember),
    outgoing: outgoing?.map(decodeMember) ?? null,
    learners: learners.map(decodeMember),
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** The item without its key. */
export function encodeBeat(beat: Beat): Item {
  return {
    term: integerValue(beat.term),
    leader: textValue(beat.leader),
    counter: integerValue(beat.counter),
    commitIndex: integerValue(beat.commit.index),
    commitTerm: integerValue(beat.commit.term),
  };
}

/** @throws AppError `register-corrupt` */
export function decodeBeat(item: Item): Beat {
  const read = readItem(item, CORRUPT);
  try {
    return {
      term: term(read.integer('term')),
      leader: regionId(read.text('leader')),
      counter: read.integer('counter'),
      commit: {
        index: logIndex(read.integer('commitIndex')),
        term: term(read.integer('commitTerm')),
      },
    };
  } catch (error) {
    return read.fail('the attributes do not make a beat', error);
  }
}
