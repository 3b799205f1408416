/**
 * The origin of a run: what was known of the site that is being left, for the actual RTO.
 *
 * The log holds changes only, so most of what it knows of a healthy site is old: its beats
 * are those of the last change. Of all verdicts the one with the newest beat counts, and an observer
 * that accused the site long before its last beat was wrong then and detected nothing. These are wall
 * clocks of several regions, held against each other for the figures of a report: nothing is decided here.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { countingAlarms } from './alarm-policy.ts';
import type { AlarmPolicy } from './policy.ts';
import type { RunOrigin } from './run.ts';
import type { CommittedVerdict, ServiceState, SiteState } from './state.ts';

/** What the observers last said of the active site. Pure; total. */
export function originOf({ policy, sites, activeSite, analysis }: ServiceState): RunOrigin {
  const site = ownValue(sites, activeSite);
  switch (analysis.code) {
    case 'active-site-failed':
    case 'all-sites-failed':
      return silenceOf(Object.values(site?.verdicts ?? {}));
    case 'active-site-alarm':
      // The site may be beating all the while: its silence has nothing to do with this run.
      return { lastBeatAt: null, firstFailedVerdictAt: firstAlarmAt(site, policy.alarms) };
    case 'active-site-fenced':
      // It beats too: what began is that it said so.
      return { lastBeatAt: null, firstFailedVerdictAt: firstFencedAt(site) };
    case 'active-site-deregistered':
      return departureOf(Object.values(site?.verdicts ?? {}));
    default:
      return { lastBeatAt: null, firstFailedVerdictAt: null };
  }
}

function silenceOf(verdicts: readonly CommittedVerdict[]): RunOrigin {
  const lastBeatAt = newestOf(verdicts)?.verdict.lastArrivalAt ?? null;
  const accusedAt = verdicts.flatMap(({ verdict, at }) =>
    verdict.state === 'failed' && at >= (lastBeatAt ?? 0) ? [at] : [],
  );
  return { lastBeatAt, firstFailedVerdictAt: lowest(accusedAt) };
}

/** The first observer that was told, and the beat that told it. */
function departureOf(verdicts: readonly CommittedVerdict[]): RunOrigin {
  const told = verdicts.filter(({ verdict }) => verdict.code === 'deregistered');
  return {
    lastBeatAt: newestOf(told)?.verdict.lastArrivalAt ?? null,
    firstFailedVerdictAt: lowest(told.map(({ at }) => at)),
  };
}

function firstFencedAt(site: SiteState | undefined): EpochMillis | null {
  const told = Object.values(site?.verdicts ?? {}).filter(
    ({ verdict }) => verdict.code === 'gave-up-role',
  );
  return lowest(told.map(({ at }) => at));
}

/** Of those by which the site was judged: one that is only told, or counts for nothing, began nothing. */
function firstAlarmAt(site: SiteState | undefined, policy: AlarmPolicy): EpochMillis | null {
  return lowest(countingAlarms(site, policy).map(({ at, changedAt = at }) => changedAt));
}

function newestOf(verdicts: readonly CommittedVerdict[]): CommittedVerdict | undefined {
  return verdicts.toSorted(
    (a, b) => (b.verdict.lastArrivalAt ?? 0) - (a.verdict.lastArrivalAt ?? 0),
  )[0];
}

function lowest(instants: readonly EpochMillis[]): EpochMillis | null {
  return instants.toSorted((a, b) => a - b)[0] ?? null;
}
