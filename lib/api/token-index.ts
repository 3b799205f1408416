/**
 * Which site has this token? For pings, whose path names nothing but the token.
 *
 * A map from the SHA-256 of each accepted token to who holds it, built once for each configuration
 * that comes into force. Looking a digest up takes a time that depends on the digest, and that is
 * harmless: to learn something from it, one would need tokens whose digests share a prefix of one's
 * choice, and a digest learnt bit by bit still is no token. The token itself is never compared.
 */
import { createHash } from 'node:crypto';
import type { RecoveryState } from '../recovery/state.ts';

/** Who may beat with a token. `site` is null where the token lets sites come into being. */
export interface TokenHolder {
  readonly service: string;
  readonly site: string | null;
  /** SHA-256 of the token, hex. */
  readonly hash: string;
}

type Index = ReadonlyMap<string, readonly TokenHolder[]>;

/** Holders of a token; none when it is not known. */
export function createTokenIndex(): (
  state: RecoveryState,
  token: string,
) => readonly TokenHolder[] {
  let builtFor: string | null = null;
  let index: Index = new Map();
  return (state, token) => {
    if (state.configHash !== builtFor) {
      index = indexOf(state);
      builtFor = state.configHash;
    }
    const hash = createHash('sha256').update(token, 'utf8').digest('hex');
    return index.get(hash) ?? [];
  };
}

function indexOf({ services, monitors }: RecoveryState): Index {
  const index = new Map<string, TokenHolder[]>();
  for (const holder of [...holdersOf(services), ...holdersOf(monitors), ...openDoors(monitors)]) {
    const known = index.get(holder.hash);
    if (known === undefined) {
      index.set(holder.hash, [holder]);
    } else {
      known.push(holder);
    }
  }
  return index;
}

interface Tokened {
  readonly policy: {
    readonly service: string;
    readonly sites: readonly { readonly site: string; readonly tokenHashes: readonly string[] }[];
  };
}

function holdersOf(watched: { readonly [name: string]: Tokened }): readonly TokenHolder[] {
  return Object.values(watched).flatMap(({ policy: { service, sites } }) =>
    sites.flatMap(({ site, tokenHashes }) => tokenHashes.map((hash) => ({ service, site, hash }))),
  );
}

function openDoors(monitors: RecoveryState['monitors']): readonly TokenHolder[] {
  return Object.values(monitors).flatMap(({ policy: { service, provisioning } }) =>
    (provisioning?.tokenHashes ?? []).map((hash) => ({ service, site: null, hash })),
  );
}
