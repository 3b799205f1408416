/** Questions and changes on one connection, each signed, each answer held against its signature. */
import { randomInt } from 'node:crypto';
import { describeError } from '../../base/errors.ts';
import type { DnsConnection } from './client.ts';
import { readResponse, signRequest, type TsigErrorCode, type TsigKey } from './tsig.ts';

export type Heard =
  /** From the holder of the key. `error`: what it does not like about our signature. */
  | { readonly kind: 'message'; readonly bytes: Buffer; readonly error: TsigErrorCode | null }
  /** An answer that anyone could have made; what it claims, if it claims anything. */
  | { readonly kind: 'not-authentic'; readonly cause: string; readonly error: TsigErrorCode | null }
  | { readonly kind: 'lost'; readonly cause: string };

export interface Signing {
  readonly key: TsigKey;
  readonly wallSeconds: () => number;
}

/** Gives out message ids that no other question on the connection has. */
export class SignedConversation {
  readonly #connection: DnsConnection;
  readonly #signing: Signing;
  #nextId: number = randomInt(0x10000);

  constructor(connection: DnsConnection, signing: Signing) {
    this.#connection = connection;
    this.#signing = signing;
  }

  /** `build` writes the message with the id that it is given. Never rejects. */
  async ask(build: (id: number) => Buffer): Promise<Heard> {
    const { key, wallSeconds } = this.#signing;
    this.#nextId = (this.#nextId + 1) % 0x10000;
    const message = build(this.#nextId);
    const { packet, mac } = signRequest(key, message, wallSeconds());
    const reply = await this.#connection.ask(packet);
    if (reply.kind === 'lost') {
      return reply;
    }
    return judge(reply.packet, (bytes) =>
      readResponse(key, bytes, { requestMac: mac, wallSeconds: wallSeconds() }),
    );
  }
}

const RESPONSE_FLAG = 0x80;

function judge(packet: Buffer, read: (bytes: Buffer) => ReturnType<typeof readResponse>): Heard {
  if (((packet[2] ?? 0) & RESPONSE_FLAG) === 0) {
    return { kind: 'not-authentic', cause: 'what came back is no answer', error: null };
  }
  try {
    const reading = read(packet);
    switch (reading.kind) {
      case 'authentic':
        return { kind: 'message', bytes: reading.message, error: reading.error };
      case 'unsigned': {
        const claim = reading.error === null ? '' : ` (${reading.error})`;
        const cause = `the answer is not signed${claim}`;
        return { kind: 'not-authentic', cause, error: reading.error };
      }
      case 'forged':
        return { kind: 'not-authentic', cause: reading.detail, error: null };
    }
  } catch (thrown) {
    return { kind: 'not-authentic', cause: describeError(thrown), error: null };
  }
}
