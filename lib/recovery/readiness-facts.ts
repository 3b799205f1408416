/**
 * What was found out about the resources of a service, judged: would a run trip over it? Pure.
 *
 * A fact that nobody could find out is a warning and never a failure: a region that reaches nothing
 * must not call every service unready.
 */
import { ownValue } from '../base/own-value.ts';
import { urlOrigin } from '../base/url-origin.ts';
import type { ActionRefused, CapacityReading, DatabaseReading } from './action-ports.ts';
import { compareEpochs, fenceName, parseFence } from './fence.ts';
import type { CapacityPolicy } from './plan.ts';
import type { Finding, ReadinessCode } from './readiness.ts';
import { canonicalName, isAddressType, sameRecordSets } from './record-set.ts';
import type { ServiceState, SiteState } from './state.ts';
import { intendedSets, type SwitchTarget } from './switch-plan.ts';
import type { ReadOutcome, RecordSet, Sharing } from './switch-port.ts';
import { shareOf } from './traffic.ts';

export interface ReadCapacity {
  readonly site: string;
  readonly reading: CapacityReading;
}

/** One probe that was made for this look, beside those of the detector. */
export interface ReadSite {
  readonly site: string;
  readonly url: string;
  /** As `ProbeResult.code`. */
  readonly code: string;
  readonly detail: string;
}

export interface ReadinessFacts {
  /** null = a run is at work on them. */
  readonly records: ReadOutcome | null;
  readonly sharing: Sharing;
  readonly capacities: readonly ReadCapacity[];
  readonly database: DatabaseReading | null;
  readonly probes: readonly ReadSite[];
}

export function judgeFacts(service: ServiceState, facts: ReadinessFacts): readonly Finding[] {
  return [
    ...(facts.records === null ? [] : judgeRecords(service, facts.records, facts.sharing)),
    ...facts.capacities.flatMap((read) => judgeCapacity(service, read)),
    ...(facts.database === null ? [] : judgeDatabase(service, facts.database)),
    ...facts.probes.flatMap((probe) => judgeProbe(service, probe)),
    ...judgeSites(service),
  ];
}

export function finding(
  [code, severity]: readonly [ReadinessCode, Finding['severity']],
  ...[subject, sentence, fix]: readonly [string, string, string]
): Finding {
  return { code, severity, subject, sentence, fix };
}

// ── Records ──────────────────────────────────────────────────────────────────────────────────────

/** Fence and records, held against what the log authorises. */
export function judgeRecords(
  service: ServiceState,
  reading: ReadOutcome,
  sharing: Sharing,
): readonly Finding[] {
  const { dnsName } = service.policy;
  if (reading.kind === 'refused') {
    const fix = 'give the control regions the right to read and change this zone';
    return [finding(['permission-missing', 'failing'], dnsName, reading.detail, fix)];
  }
  if (reading.kind === 'unknown') {
    const fix = 'look again; a run asks the same server';
    return [finding(['records-unreadable', 'warning'], dnsName, reading.cause, fix)];
  }
  const at = (name: string) => (set: RecordSet) => canonicalName(set.name) === canonicalName(name);
  const foreign = reading.foreign.filter(
    ({ name, type }) => canonicalName(name) === canonicalName(dnsName) && isAddressType(type),
  );
  const fence = reading.recordSets.filter(at(fenceName(dnsName)));
  const addresses = reading.recordSets
    .filter(at(dnsName))
    .filter(({ type }) => isAddressType(type));
  return [
    ...foreign.map(({ type, reason }) =>
      finding(
        ['records-not-ours', 'failing'],
        dnsName,
        `a ${type} record stands there that no switch may replace (${reason})`,
        'remove it, or make it a plain record',
      ),
    ),
    ...judgeFence(service, fence[0]?.values[0] ?? null),
    ...judgeAddresses(service, addresses, sharing),
  ];
}

function judgeFence(service: ServiceState, value: string | null): readonly Finding[] {
  const { dnsName } = service.policy;
  const name = fenceName(dnsName);
  if (value === null) {
    const sentence = 'no fence stands beside the records: the next switch adopts what it finds';
    const fix = 'apply the configuration again, so that a setup run writes it';
    return [finding(['records-not-ours', 'warning'], name, sentence, fix)];
  }
  const reading = parseFence(value);
  if (reading.kind === 'malformed') {
    const fix = 'restore the TXT record from the report of the last run';
    return [finding(['records-not-ours', 'failing'], name, reading.detail, fix)];
  }
  const { epoch } = reading.fence;
  const isNewer = compareEpochs(epoch, service.epoch) > 0;
  const sentence = `the fence is of term ${epoch.term}, index ${epoch.index}, newer than this log`;
  const fix = 'find out which other cluster writes this name: every switch of this one is refused';
  return isNewer ? [finding(['records-changed-outside', 'failing'], name, sentence, fix)] : [];
}

function judgeAddresses(
  { policy, traffic, epoch, activeSite }: ServiceState,
  addresses: readonly RecordSet[],
  sharing: Sharing,
): readonly Finding[] {
  const targets = policy.sites.map(
    ({ site, address }): SwitchTarget => ({ site, address, weight: shareOf(traffic, site) }),
  );
  const { dnsName, recordType, ttlSeconds } = policy;
  const run = `${policy.service}-${epoch.index}`;
  const intent = { dnsName, recordType, ttlSeconds, targets, epoch, run };
  const wanted = intendedSets(intent, sharing);
  if (sameRecordSets(addresses, wanted)) {
    return [];
  }
  const asWanted = addresses.map((set) => ({ ...set, ttlSeconds }));
  if (addresses.length > 0 && sameRecordSets(asWanted, wanted)) {
    const ttls = [...new Set(addresses.map((set) => set.ttlSeconds))].join(', ');
    const sentence = `its TTL is ${ttls} s, the policy says ${ttlSeconds} s`;
    const fix = 'apply the configuration again, or correct the record';
    return [finding(['ttl-differs', 'warning'], dnsName, sentence, fix)];
  }
  const values = addresses.flatMap((set) => set.values).join(', ') || 'nothing';
  const sentence = `${values} stands there, not what the log says (${activeSite})`;
  const fix =
    'find out who changed it; `tripoint failover --force` to the active site writes it anew';
  return [finding(['records-changed-outside', 'failing'], dnsName, sentence, fix)];
}

// ── Resources ────────────────────────────────────────────────────────────────────────────────────

function judgeCapacity(
  { policy, traffic }: ServiceState,
  { site, reading }: ReadCapacity,
): readonly Finding[] {
  const capacity = policy.sites.find((candidate) => candidate.site === site)?.capacity ?? null;
  if (capacity === null) {
    return [];
  }
  const subject = `${site}: ${resourceText(capacity)}`;
  if (reading.kind !== 'read') {
    return [unread(subject, reading)];
  }
  const { desired, ready, max } = reading.capacity;
  const isServing = shareOf(traffic, site) > 0;
  const needed = isServing ? 0 : capacity.standby;
  return [
    ...(max !== null && max < capacity.serving
      ? [
          finding(
            ['capacity-above-limit', 'failing'],
            subject,
            `it may have ${max} at most, and serves with ${capacity.serving}`,
            `raise its maximum to ${capacity.serving} or more`,
          ),
        ]
      : []),
    ...(ready < needed
      ? [
          finding(
            ['standby-below-capacity', 'failing'],
            subject,
            `${ready} of ${needed} are ready (${desired} desired)`,
            'see why they do not start; a run would have to wait for them',
          ),
        ]
      : []),
  ];
}

function resourceText({ resource }: CapacityPolicy): string {
  switch (resource.kind) {
    case 'auto-scaling-group':
      return `Auto Scaling group ${resource.group} in ${resource.region}`;
    case 'ecs-service':
      return `ECS service ${resource.service} in ${resource.region}`;
    case 'lambda-concurrency':
      return `Lambda ${resource.functionName}:${resource.qualifier} in ${resource.region}`;
    case 'hook':
      return `capacity hook ${urlOrigin(resource.url)}`;
  }
}

/** What a read that gave nothing says. */
export function unread(
  subject: string,
  reading: ActionRefused | { readonly kind: 'unknown'; readonly cause: string },
): Finding {
  if (reading.kind === 'unknown') {
    const fix = 'look again; if it stays so, a run will meet it too';
    return finding(['resource-unreadable', 'warning'], subject, reading.cause, fix);
  }
  switch (reading.code) {
    case 'not-permitted':
      return finding(
        ['permission-missing', 'failing'],
        subject,
        reading.detail,
        'deploy again with this resource in the configuration file',
      );
    case 'resource-absent':
      return finding(
        ['resource-missing', 'failing'],
        subject,
        reading.detail,
        'make it, or correct its name and region in the file',
      );
    case 'secret-not-set':
      return finding(
        ['secret-missing', 'failing'],
        subject,
        reading.detail,
        'set the environment variable of the control regions',
      );
    default:
      return finding(
        ['resource-unreadable', 'failing'],
        subject,
        reading.detail,
        'see what it answers',
      );
  }
}

function judgeDatabase(
  { policy, activeSite }: ServiceState,
  reading: DatabaseReading,
): readonly Finding[] {
  const subject = `database of ${policy.service}`;
  if (reading.kind !== 'read') {
    return [unread(subject, reading)];
  }
  const named = Object.keys(policy.database?.members ?? {});
  const writers = Object.entries(reading.members).filter(([, { isWriter }]) => isWriter);
  const elsewhere = writers.filter(([site]) => site !== activeSite);
  return [
    ...named.flatMap((site) => judgeMember(subject, { site, reading })),
    ...elsewhere.map(([site]) =>
      finding(
        ['database-writer-elsewhere', 'failing'],
        subject,
        `its writer is in ${site}, and ${activeSite} serves`,
        'move the writer, or fail over to where it is',
      ),
    ),
  ];
}

function judgeMember(
  subject: string,
  of: { readonly site: string; readonly reading: Extract<DatabaseReading, { kind: 'read' }> },
): readonly Finding[] {
  const { site, reading } = of;
  const member = ownValue(reading.members, site);
  const isGood = member?.status === 'available';
  const sentence =
    member === undefined ? `${site} has no member that answers` : `${site} is ${member.status}`;
  const fix = 'see why this member does not replicate; a run could not promote it';
  return isGood ? [] : [finding(['database-not-replicating', 'failing'], subject, sentence, fix)];
}

// ── Sites ────────────────────────────────────────────────────────────────────────────────────────

function judgeProbe({ policy, traffic }: ServiceState, probe: ReadSite): readonly Finding[] {
  const { site, url, code, detail } = probe;
  // The query of a probe may carry a token, and findings are shown to whoever may read.
  const subject = `${site}: ${urlOrigin(url)}`;
  if (code === 'certificate-invalid') {
    const fix = 'renew the certificate: clients refuse it, whatever Route 53 health checks say';
    return [finding(['certificate-invalid', 'failing'], subject, detail, fix)];
  }
  if (code === 'certificate-expires-soon') {
    return [finding(['certificate-expires-soon', 'warning'], subject, detail, 'renew it')];
  }
  const capacity = policy.sites.find((candidate) => candidate.site === site)?.capacity ?? null;
  const mayBeOff = capacity?.standby === 0 && shareOf(traffic, site) === 0;
  const isFine = code === 'passed' || code === 'not-probed' || mayBeOff;
  const fix = 'a run ends with this question: see why the site does not answer it';
  return isFine ? [] : [finding(['probe-not-answering', 'warning'], subject, detail, fix)];
}

function judgeSites({
  policy,
  sites,
  unprotectedSince,
  activeSite,
}: ServiceState): readonly Finding[] {
  const unheard = policy.sites.flatMap(({ site }) => judgeHearing(site, ownValue(sites, site)));
  const sentence = `no other site could take the traffic of ${activeSite}`;
  const fix = 'bring a standby back; until then a failure of the active site is an outage';
  return unprotectedSince === null
    ? unheard
    : [...unheard, finding(['unprotected', 'failing'], policy.service, sentence, fix)];
}

/**
 * Who hears the site. One that beats to a minority only counts as healthy while it does, and could not be
 * found failed when it no longer does: observers that never heard it say nothing, and nothing is not down.
 */
function judgeHearing(site: string, state: SiteState | undefined): readonly Finding[] {
  if (state?.opinion.state === 'pending' && state.opinion.code !== 'deregistered') {
    const fix = 'start its agent with a token of this site; `tripoint beats` shows what arrives';
    const sentence = 'no heartbeat with one of its tokens has ever arrived';
    return [finding(['site-unheard', 'failing'], site, sentence, fix)];
  }
  const verdicts = Object.entries(state?.verdicts ?? {});
  const deaf = verdicts.filter(([, { verdict }]) => verdict.bootId === null).map(([name]) => name);
  if (deaf.length === 0) {
    return [];
  }
  const isMinorityHeard = deaf.length * 2 >= verdicts.length;
  const consequence = isMinorityHeard ? ': the rest could not find it failed' : '';
  const sentence = `${deaf.toSorted().join(', ')} never heard it${consequence}`;
  const fix = 'let its agent beat to every region: see its endpoints, and its way out';
  const severity = isMinorityHeard ? 'failing' : 'warning';
  return [finding(['site-heard-by-few', severity], site, sentence, fix)];
}
