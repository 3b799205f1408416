/**
 * Who may ask: bearer tokens, known to Tripoint only by their SHA-256.
 *
 * A token is hashed and the digest compared in constant time with every accepted one, without
 * stopping at a match, so that the time of an answer tells nothing about a token. Hashing first
 * also makes all compared values equally long.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { API_LIMITS } from './limits.ts';

export type Credential =
  /** `Authorization: Bearer <token>`. */
  | { readonly kind: 'bearer'; readonly token: string }
  /**
   * `Authorization: Basic`, with the token as password and any user name. A browser can ask for it
   * and keeps sending it, so it opens pages and reads, but never commands: no other site can make
   * the browser command anything.
   */
  | { readonly kind: 'basic'; readonly token: string }
  | { readonly kind: 'none' };

type Equal = (left: Uint8Array, right: Uint8Array) => boolean;

const BEARER = /^bearer ([\x21-\x7e]+)$/i;
const BASIC = /^basic ([A-Za-z0-9+/]+={0,2})$/i;
/** A Basic credential is longer by a user name and a third. */
const HEADER_CHARACTERS_MAX = 2 * API_LIMITS.tokenCharactersMax;

/** Anything that is not one well-formed credential of acceptable length is none. */
export function credentialOf(authorization: string | undefined): Credential {
  if (authorization === undefined || authorization.length > HEADER_CHARACTERS_MAX) {
    return { kind: 'none' };
  }
  const bearer = BEARER.exec(authorization)?.[1];
  if (bearer !== undefined) {
    return credential('bearer', bearer);
  }
  const basic = BASIC.exec(authorization)?.[1];
  if (basic === undefined) {
    return { kind: 'none' };
  }
  const text = Buffer.from(basic, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? { kind: 'none' } : credential('basic', text.slice(colon + 1));
}

function credential(kind: 'bearer' | 'basic', token: string): Credential {
  return token === '' || token.length > API_LIMITS.tokenCharactersMax
    ? { kind: 'none' }
    : { kind, token };
}

/**
 * The accepted hash that the token has; null = none. Compares with all of them in any case.
 *
 * @param hashes SHA-256 as 64 lower-case hex digits each; a malformed one matches nothing.
 * @param equal must take the same time for equal and for different values.
 */
export function matchToken(
  token: string,
  hashes: readonly string[],
  equal: Equal = timingSafeEqual,
): string | null {
  return matchDigest(digestOf(token), hashes, equal);
}

export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}

/** As `matchToken`, for one token that is compared with the hashes of many sites. */
export function matchDigest(
  digest: Uint8Array,
  hashes: readonly string[],
  equal: Equal = timingSafeEqual,
): string | null {
  let match: string | null = null;
  for (const hash of hashes) {
    const accepted = Buffer.from(hash, 'hex');
    if (accepted.length === digest.length && equal(digest, accepted)) {
      match = hash;
    }
  }
  return match;
}
