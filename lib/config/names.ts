/**
 * Names that infrastructure and functions must agree on: environment variables, table keys,
 * resource names. `infra/` sets them, `lib/config/environment.ts` reads them (style rule 31).
 *
 * Resource names are computed from the cluster id, the account and the region alone. So every
 * region knows the names of the others as literals, with no look-up and no reference that would
 * need the other region to answer: a region deploys and works while another is gone.
 */

/** Environment variables of every Lambda function. */
export const ENVIRONMENT = {
  clusterId: 'TRIPOINT_CLUSTER_ID',
  /** Control regions, comma-separated, e.g. `us-east-1,us-east-2,us-west-2`. */
  regions: 'TRIPOINT_REGIONS',
  /** The regions that the cluster was made with; left out while they are the control regions. */
  founders: 'TRIPOINT_FOUNDERS',
  region: 'AWS_REGION',
  consensusTable: 'TRIPOINT_CONSENSUS_TABLE',
  healthTable: 'TRIPOINT_HEALTH_TABLE',
  /** Bucket name of each control region: `region=bucket,…`. */
  buckets: 'TRIPOINT_BUCKETS',
  hostedZoneId: 'TRIPOINT_HOSTED_ZONE_ID',
  /** Addresses of the zone's own name servers, comma-separated; a switch is verified there. */
  nameServers: 'TRIPOINT_NAME_SERVERS',
  /** `route53` (the default), `rfc2136` with the next five, or `none` where no step is taken up. */
  switch: 'TRIPOINT_SWITCH',
  /** IP address of the zone's primary, with `:port` where it is not 53. */
  dnsServer: 'TRIPOINT_DNS_SERVER',
  dnsZone: 'TRIPOINT_DNS_ZONE',
  tsigKeyName: 'TRIPOINT_TSIG_KEY_NAME',
  /** `hmac-sha256` (the default) or `hmac-sha512`. */
  tsigAlgorithm: 'TRIPOINT_TSIG_ALGORITHM',
  /** Base64, as `tsig-keygen` prints it. A secret. */
  tsigSecret: 'TRIPOINT_TSIG_SECRET',
  /** Name that path A steers, for each service that has one: `service=name,…`. */
  dataPlaneNames: 'TRIPOINT_DATA_PLANE_NAMES',
  /** SHA-256 (hex) of the operator token. All zeros = no token is accepted. */
  operatorTokenHash: 'TRIPOINT_OPERATOR_TOKEN_SHA256',
  logLevel: 'TRIPOINT_LOG_LEVEL',
} as const;

/** Names of the tables of a cluster with the default id; see `tableNames`. */
export const TABLES = {
  consensus: 'tripoint-consensus',
  health: 'tripoint-health',
} as const;

/** Key attributes of both tables: partition key and sort key, both strings. */
export const TABLE_KEYS = { partition: 'pk', sort: 'sk' } as const;

/** Partition key of the timers in a health table: the only items of it that are ever deleted. */
export const TIMER_PARTITION = 'timer';

export const METRIC_NAMESPACE = 'Tripoint';

/** The one dimension of every metric; its value is the cluster id, so its cost is bounded. */
export const METRIC_DIMENSION = 'service';

/** Metrics that the functions write and that alarms and the dashboard read. */
export const METRICS = {
  /** 1 when a majority of registers answered at the last contact, else 0. Once a minute. */
  quorum: 'Quorum',
  /** How many registers answered at the last contact. */
  reachableRegisters: 'ReachableRegisters',
  /** Services that are not steady: impaired, recovering or returning. */
  unsettledServices: 'UnsettledServices',
  /** Sites about which an early warning stands. Once a minute. */
  earlyWarnings: 'EarlyWarnings',
  /** Sites whose replication lag is above the RPO, or soon will be. Once a minute. */
  rposAtRisk: 'RposAtRisk',
  /** Services whose next run would trip over something. */
  unreadyServices: 'UnreadyServices',
  /** Index of the last entry that this region applied. */
  appliedIndex: 'AppliedIndex',
  /** Snapshots stored, or found to be stored already. */
  snapshotsStored: 'SnapshotsStored',
  /** Alarm messages that are no command: malformed, or about no site. */
  alarmsRefused: 'AlarmsRefused',
} as const;

export interface TableNames {
  readonly consensus: string;
  readonly health: string;
}

/** Tables of a cluster; each control region has both, under the same names. */
export function tableNames(clusterId: string): TableNames {
  return { consensus: `${clusterId}-consensus`, health: `${clusterId}-health` };
}

/** Bucket names are one global namespace, so the account stands in them. */
export function bucketName(clusterId: string, account: string, region: string): string {
  return `${clusterId}-${account}-${region}`;
}

export type FunctionRole = 'api' | 'controller' | 'snapshot' | 'alarm';

/** Metric of the events that a function logged as errors: bugs, and broken environments. */
export function loggedErrorsMetric(role: FunctionRole): string {
  return `LoggedErrors-${role}`;
}

/** Name of a function; the same in each control region. */
export function functionName(clusterId: string, role: FunctionRole): string {
  return `${clusterId}-${role}`;
}
