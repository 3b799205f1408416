/** Raft servers as values, for tests of whatever stores them. */
import { commandId, logIndex, type RegionId, regionId, term } from '../../lib/base/identifiers.ts';
import type { JsonValue } from '../../lib/base/json.ts';
import {
  type Entry,
  type Identity,
  pristineServer,
  type Server,
} from '../../lib/consensus/server.ts';

export const MEMBERS: readonly RegionId[] = ['us-east-1', 'us-east-2', 'us-west-2'].map(regionId);

export function identityOf(changes: Partial<Identity> = {}): Identity {
  return {
    clusterId: 'contract-cluster',
    region: regionId('us-east-1'),
    founders: MEMBERS,
    incarnation: 1,
    ...changes,
  };
}

/** A server that never heard of an election. */
export function emptyServer(identity: Identity = identityOf()): Server {
  return pristineServer(identity);
}

/** A leader of term 3 whose log holds one command per body. */
export function serverWith(bodies: readonly JsonValue[], identity = identityOf()): Server {
  const entries = bodies.map(
    (body, place): Entry => ({
      index: logIndex(place + 1),
      term: term(3),
      command: { id: commandId(`command-${place}`), basis: logIndex(0), body },
    }),
  );
  return {
    ...emptyServer(identity),
    term: term(3),
    votedFor: identity.region,
    leaderOf: term(3),
    entries,
  };
}
