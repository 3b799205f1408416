/**
 * The switch port over RFC 2136 dynamic update with TSIG: BIND, Knot, PowerDNS, Windows DNS, NSD's
 * primaries: any server that holds a zone and takes signed updates.
 *
 * One UPDATE message is one atomic batch (`mapping.ts`). What is read is asked of the same server,
 * signed, one question for each type, so an answer is neither a cache's nor a stranger's. A change
 * looks at the TTLs of what it deletes first, because prerequisites do not hold them: an edit of
 * nothing but the TTL that falls between this look and the update is the one thing overwritten.
 * A change has travelled when each name server of the zone has reached the serial that the zone had
 * right after it; serials are compared as RFC 1982 says.
 */
import { randomInt } from 'node:crypto';
import { type Answer as AnswerRecord, type DecodedPacket, decode } from 'dns-packet';
import { describeError } from '../../base/errors.ts';
import { canonicalName } from '../../recovery/record-set.ts';
import { checkBatch } from '../../recovery/switch-batch.ts';
import type {
  Change,
  ChangeOutcome,
  ChangeStatus,
  ForeignRecordSet,
  ReadOutcome,
  RecordSet,
  SwitchPort,
} from '../../recovery/switch-port.ts';
import { type ClientOptions, openConnection, type ServerAddress } from './client.ts';
import { queryFailure, type Refusal, tsigRefusal, updateFailure } from './errors.ts';
import { RFC2136_LIMITS } from './limits.ts';
import { batchFault, OUR_TYPES, setsAt, updateOf } from './mapping.ts';
import { askSerial, hasReached } from './serial.ts';
import { type Heard, SignedConversation } from './signed-conversation.ts';
import type { TsigKey } from './tsig.ts';
import { encodeQuery, encodeUpdate, TYPE } from './wire.ts';

export interface Rfc2136SwitchOptions extends ClientOptions {
  /** The zone's primary, which takes the updates and is asked. */
  readonly server: ServerAddress;
  /** Apex of the zone. */
  readonly zone: string;
  readonly key: TsigKey;
  /** Every server that answers for the zone; a change has travelled when all of them have it. */
  readonly nameServers: readonly ServerAddress[];
  /** Seconds since 1970, for signatures. */
  readonly wallSeconds: () => number;
}

export function rfc2136SwitchPort(given: Rfc2136SwitchOptions): SwitchPort {
  const options = { ...given, zone: canonicalName(given.zone) };
  return {
    sharing: 'even',
    calls: { read: 'dns:QUERY', change: 'dns:UPDATE (RFC 2136)', status: 'dns:QUERY SOA' },
    read: (names) => converse(options, (talk) => readNames(talk, names), READ_NOT_SENT),
    change: (batch) => change(options, batch),
    changeStatus: (changeId) => changeStatus(options, changeId),
  };
}

const READ_NOT_SENT = (cause: string): ReadOutcome => ({ kind: 'unknown', cause });
const CHANGE_NOT_SENT = (detail: string): ChangeOutcome => ({ kind: 'busy', detail });

/** One connection for one call of the port. */
async function converse<Outcome>(
  options: Rfc2136SwitchOptions,
  talk: (conversation: SignedConversation) => Promise<Outcome>,
  notSent: (cause: string) => Outcome,
): Promise<Outcome> {
  const opened = await openConnection(options.server, options);
  if (opened.kind === 'never-connected') {
    return notSent(opened.cause);
  }
  try {
    return await talk(new SignedConversation(opened.connection, options));
  } finally {
    opened.connection.close();
  }
}

async function readNames(talk: SignedConversation, names: readonly string[]): Promise<ReadOutcome> {
  const recordSets: RecordSet[] = [];
  const foreign: ForeignRecordSet[] = [];
  for (const name of names) {
    const found = await readName(talk, name);
    if (found.kind !== 'read') {
      return found;
    }
    recordSets.push(...found.recordSets);
    foreign.push(...found.foreign);
  }
  return { kind: 'read', recordSets, foreign };
}

/** Each type by itself, and ANY for the rest, because some servers answer ANY in part only. */
const QUESTIONS: readonly QueryType[] = [...OUR_TYPES, 'ANY'];

type QueryType = keyof typeof TYPE;

async function readName(talk: SignedConversation, name: string): Promise<ReadOutcome> {
  const questions = QUESTIONS.map((type) => askFor(talk, canonicalName(name), type));
  const answers = await Promise.all(questions);
  const records: AnswerRecord[] = [];
  for (const answer of answers) {
    if (answer.kind !== 'records') {
      return answer;
    }
    records.push(...answer.records);
  }
  return { kind: 'read', ...setsAt(name, records) };
}

type Asked =
  | { readonly kind: 'records'; readonly records: readonly AnswerRecord[] }
  | Refusal
  | { readonly kind: 'unknown'; readonly cause: string };

async function askFor(talk: SignedConversation, name: string, type: QueryType): Promise<Asked> {
  const heard = await talk.ask((id) => encodeQuery({ id, name, type: TYPE[type] }));
  const message = readable(heard);
  if (message.kind !== 'message') {
    return message;
  }
  const { packet } = message;
  const { flag_aa: isAuthoritative } = packet as { readonly flag_aa?: boolean };
  const failure = queryFailure(responseCodeOf(message.bytes), isAuthoritative === true);
  return failure ?? { kind: 'records', records: packet.answers ?? [] };
}

/** An authentic message whose records can be read; before a change was sent, so refusals may stand. */
function readable(
  heard: Heard,
):
  | { readonly kind: 'message'; readonly packet: DecodedPacket; readonly bytes: Buffer }
  | Refusal
  | { readonly kind: 'unknown'; readonly cause: string } {
  switch (heard.kind) {
    case 'lost':
      return { kind: 'unknown', cause: heard.cause };
    case 'not-authentic':
      return heard.error === null
        ? { kind: 'unknown', cause: heard.cause }
        : tsigRefusal(heard.error);
    case 'message':
      if (heard.error !== null) {
        return tsigRefusal(heard.error);
      }
      try {
        return { kind: 'message', packet: decode(heard.bytes), bytes: heard.bytes };
      } catch (thrown) {
        return { kind: 'unknown', cause: `the answer cannot be read: ${describeError(thrown)}` };
      }
  }
}

function responseCodeOf(message: Buffer): number {
  return message.readUInt16BE(2) & 0xf;
}

async function change(
  options: Rfc2136SwitchOptions,
  batch: readonly Change[],
): Promise<ChangeOutcome> {
  const check = checkBatch(batch);
  if (check.kind === 'refused') {
    return check;
  }
  if (batch.some(({ recordSet }) => recordSet.weighted !== undefined)) {
    const detail = 'a server of RFC 2136 knows no weights';
    return { kind: 'refused', code: 'weights-unsupported', detail };
  }
  const fault = batchFault(options.zone, batch);
  if (fault !== null) {
    return { kind: 'refused', code: 'not-for-this-zone', detail: fault };
  }
  const message = encodeUpdate({ id: randomInt(0x10000), zone: options.zone, ...updateOf(batch) });
  if (message.length > RFC2136_LIMITS.messageBytesMax) {
    const detail = `${message.length} bytes, at most ${RFC2136_LIMITS.messageBytesMax}`;
    return { kind: 'refused', code: 'batch-too-large', detail };
  }
  return converse(
    options,
    async (talk) => (await lifetimeFault(talk, batch)) ?? send(options, talk, message),
    CHANGE_NOT_SENT,
  );
}

/** What a prerequisite cannot say: whether the sets to delete have the TTL that was read. */
async function lifetimeFault(
  talk: SignedConversation,
  batch: readonly Change[],
): Promise<ChangeOutcome | null> {
  const deleted = batch.filter(({ action }) => action === 'DELETE').map((one) => one.recordSet);
  for (const { name, type, ttlSeconds } of deleted) {
    const asked = await askFor(talk, canonicalName(name), type);
    if (asked.kind !== 'records') {
      // Nothing was sent yet.
      return asked.kind === 'refused' ? asked : { kind: 'busy', detail: asked.cause };
    }
    const standing = setsAt(name, asked.records).recordSets.find((set) => set.type === type);
    if (standing?.ttlSeconds !== ttlSeconds) {
      const stands = standing === undefined ? 'none stands' : `its TTL is ${standing.ttlSeconds}`;
      return { kind: 'conflict', detail: `${name} ${type}: ${stands}` };
    }
  }
  return null;
}

async function send(
  options: Rfc2136SwitchOptions,
  talk: SignedConversation,
  message: Buffer,
): Promise<ChangeOutcome> {
  const heard = await talk.ask((id) => {
    message.writeUInt16BE(id, 0);
    return message;
  });
  if (heard.kind !== 'message') {
    // Not even a "your signature is wrong" counts here: anyone may have sent it.
    return { kind: 'unknown', cause: heard.cause };
  }
  if (heard.error !== null) {
    return tsigRefusal(heard.error);
  }
  const failure = updateFailure(responseCodeOf(heard.bytes));
  return failure ?? { kind: 'applied', changeId: await changeIdOf(options, talk) };
}

/** The zone's serial right after the change; without it the primary's own is waited for. */
async function changeIdOf({ zone }: Rfc2136SwitchOptions, talk: SignedConversation) {
  const asked = await askFor(talk, zone, 'SOA');
  const soa = asked.kind === 'records' ? asked.records.find(({ type }) => type === 'SOA') : null;
  return soa?.type === 'SOA' ? `serial-${soa.data.serial ?? 0}` : SERIAL_UNSEEN;
}

const SERIAL_UNSEEN = 'serial-unseen';
const CHANGE_ID_PATTERN = /^serial-(0|[1-9]\d{0,9})$/;

async function changeStatus(
  options: Rfc2136SwitchOptions,
  changeId: string,
): Promise<ChangeStatus> {
  const [, text] = CHANGE_ID_PATTERN.exec(changeId) ?? [];
  if (text === undefined && changeId !== SERIAL_UNSEEN) {
    return { kind: 'unknown', cause: `${changeId} is no change of this zone` };
  }
  const serial = text === undefined ? await askSerial(options, options.server) : Number(text);
  if (typeof serial !== 'number') {
    return { kind: 'unknown', cause: serial.cause };
  }
  const standings = await Promise.all(
    options.nameServers.map((server) => askSerial(options, server)),
  );
  const silent = standings.find((standing) => typeof standing !== 'number');
  if (silent !== undefined && typeof silent !== 'number') {
    return { kind: 'unknown', cause: silent.cause };
  }
  return standings.every((at) => typeof at === 'number' && hasReached(at, serial))
    ? { kind: 'in-sync' }
    : { kind: 'pending' };
}
