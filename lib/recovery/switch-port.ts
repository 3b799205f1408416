/**
 * The port through which a recovery moves client traffic: a DNS zone that offers one atomic batch.
 *
 * Compare-and-swap by construction. A batch DELETEs the exact record sets that were read and
 * CREATEs the new ones; a DELETE that does not match, or a CREATE of something that exists, fails
 * the whole batch. There is no UPSERT, because a blind overwrite is how a delayed worker destroys
 * a newer switch (the us-east-1 event of October 2025).
 *
 * Route 53: ChangeResourceRecordSets is all-or-nothing (API reference, "Change Batches and
 * Transactional Changes"). Implementations: `lib/aws/route53`, `lib/local/dns`. Contract suite:
 * `test/contract/switch-port`.
 */

export type RecordType = 'A' | 'AAAA' | 'CNAME' | 'TXT';

/**
 * One record set: all values of one name and type, or, of several weighted sets that share a name
 * and type, those of one. Values are in DNS presentation format.
 */
export interface RecordSet {
  /** Absolute name in lower case without the trailing dot, e.g. `checkout.example.test`. */
  readonly name: string;
  readonly type: RecordType;
  /** Seconds, 0 to 86,400. */
  readonly ttlSeconds: number;
  /** At least one. TXT values carry no quotes here; adapters add them. Order does not matter. */
  readonly values: readonly string[];
  /** Only where several sets share the name and type; then every one of them has it. */
  readonly weighted?: WeightedShare;
}

/** How often clients get this set: its weight over the sum of the weights at its name and type. */
export interface WeightedShare {
  /** Tells the set from its neighbours; 1 to 63 letters, digits, dots, dashes, underscores. */
  readonly id: string;
  /** Whole, 0 to 255; at least one of the sets at a name has more than 0. */
  readonly weight: number;
}

export interface Change {
  readonly action: 'DELETE' | 'CREATE';
  readonly recordSet: RecordSet;
}

/**
 * A record set that stands at a name that was read and that no `Change` can express: another type,
 * a Route 53 alias, a failover or latency set, a weighted one with a health check, or a TXT whose
 * quoting would not survive a round trip. A plan must respect it, because it cannot DELETE it exactly.
 */
export interface ForeignRecordSet {
  readonly name: string;
  /** Any DNS type, e.g. `MX`; or one of ours, with the reason below. */
  readonly type: string;
  readonly reason: 'type' | 'alias' | 'routing-policy' | 'encoding';
}

export type ReadOutcome =
  | {
      readonly kind: 'read';
      readonly recordSets: readonly RecordSet[];
      readonly foreign: readonly ForeignRecordSet[];
    }
  /** The zone or the right to read it is missing; a repeat would be refused too. */
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string }
  | { readonly kind: 'unknown'; readonly cause: string };

export type ChangeOutcome =
  /** Accepted as a whole. `changeId` is what `changeStatus` takes. */
  | { readonly kind: 'applied'; readonly changeId: string }
  /** Refused as a whole: the zone does not hold what the batch expects. Read again. */
  | { readonly kind: 'conflict'; readonly detail: string }
  /** Refused as a whole before or by the zone, and a repeat would be refused too. */
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string }
  /** Not applied: throttled, or another change is being worked on. Try again later. */
  | { readonly kind: 'busy'; readonly detail: string }
  /** The answer was lost. The batch may be applied, now or later. Read before anything else. */
  | { readonly kind: 'unknown'; readonly cause: string };

export type ChangeStatus =
  | { readonly kind: 'pending' }
  /** Every authoritative server answers with the new records (resolver caches are another matter). */
  | { readonly kind: 'in-sync' }
  | { readonly kind: 'unknown'; readonly cause: string };

export interface SwitchPort {
  /**
   * How traffic can be shared between sites: by weighted sets (where it is absent), or evenly only,
   * as several values of one set, because the server knows no weights.
   */
  readonly sharing?: Sharing;
  /** What the calls behind `read`, `change` and `changeStatus` are named, for people. */
  readonly calls?: SwitchCalls;
  /**
   * The record sets that stand at exactly these names. Never from a cache. Names are read in the
   * order given, one after the other: not a snapshot, so name the fence first (`switch-once.ts`).
   */
  readonly read: (names: readonly string[]) => Promise<ReadOutcome>;
  /** Applies the whole batch or nothing. Compare-and-set; one attempt, no retry inside. */
  readonly change: (batch: readonly Change[], comment: string) => Promise<ChangeOutcome>;
  /** Best effort: how far an applied change has travelled. */
  readonly changeStatus: (changeId: string) => Promise<ChangeStatus>;
}

export type Sharing = 'weighted' | 'even';

export interface SwitchCalls {
  readonly read: string;
  readonly change: string;
  readonly status: string;
}

/** What clients would see: asks DNS as a client does, and the site as a client does. */
export interface VerifyPort {
  /** Values that the name resolves to, asked of the authoritative servers. */
  readonly resolve: (
    name: string,
    type: RecordType,
  ) => Promise<
    | { readonly kind: 'resolved'; readonly values: readonly string[] }
    | { readonly kind: 'unknown'; readonly cause: string }
  >;
  /** One GET; `serving` means a 2xx answer in time. */
  readonly probe: (
    url: string,
  ) => Promise<
    | { readonly kind: 'serving'; readonly status: number; readonly elapsedMs: number }
    | { readonly kind: 'failing'; readonly detail: string; readonly elapsedMs: number }
  >;
}

/**
 * Path A as its clients see it: records that exist already, and health checks of each region's routing
 * answer that choose among them. Nothing is changed through it. A switch on path A is the committed
 * entry itself; what remains to be known is when clients are answered by it.
 */
export interface RoutingPort {
  /** Never from a resolver's cache. */
  readonly status: (service: string, type: RecordType) => Promise<RoutingStatus>;
}

export type RoutingStatus =
  /** What the name servers give clients now; the union where they differ. */
  | { readonly kind: 'routed'; readonly values: readonly string[] }
  /** The service has no name of its own for path A: if anything steers, it steers the service's name. */
  | { readonly kind: 'not-wired' }
  | { readonly kind: 'unknown'; readonly cause: string };
