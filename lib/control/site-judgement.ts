/**
 * What an observer makes of one site in one round: the verdict, whether the log must hear of it, and
 * when time alone may change it. No state of its own: the same sight and the same observer give the
 * same judgement.
 */
import { type EpochMillis, epochMillis, type RegionId } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { NO_EVIDENCE, type SiteEvidence } from '../detection/evidence.ts';
import type { Forecast } from '../detection/forecast.ts';
import { isNews } from '../detection/news.ts';
import type { SelfObservation } from '../detection/observer.ts';
import {
  changesAt,
  type JudgeInput,
  judge,
  judgeDamaged,
  type Verdict,
} from '../detection/verdict.ts';
import type { LagReading } from '../recovery/replication.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { ControlCommand } from './commands.ts';
import type { SiteName, SiteRecord, Timer } from './health-store.ts';
import { isScheduled, judgeJob } from './jobs.ts';
import { newLagOf } from './lag-words.ts';
import { proofMsMaxOf } from './service-events.ts';
import { newWarningOf } from './warnings.ts';
import { ruledBy, watchableFrom } from './watch-change.ts';
import { type WatchedSite, watchedSite } from './watched-sites.ts';

/** A site of a round, before it is judged. */
export interface Sight {
  readonly name: SiteName;
  /** null = it is configured no more. */
  readonly watched: WatchedSite | null;
  readonly record: SiteRecord | null;
  /** Those that are due, earliest first. */
  readonly timers: readonly Timer[];
}

export interface Judged extends Sight {
  /** null = it is configured no more. */
  readonly verdict: Verdict | null;
  /** The log does not say yet what the verdict is. */
  readonly isUntold: boolean;
  /** What the log is to say of early warnings; null = it says so already. */
  readonly warning: Forecast | null;
  /** What the log is to say of the replication lag; null = it says so already. */
  readonly lag: LagReading | null;
  /** Any of the three. */
  readonly isOpen: boolean;
  /** When time alone may change the verdict; null = never, or nobody can tell. */
  readonly changesAt: EpochMillis | null;
  readonly now: EpochMillis;
}

/** Who judges, and what else it knows. */
export interface Judge {
  readonly region: RegionId;
  /** null before the first round: nothing but the present was watched. */
  readonly self: SelfObservation | null;
  readonly evidenceOf?:
    | ((service: string, site: string, now: EpochMillis) => SiteEvidence)
    | undefined;
  /** Whose record cannot be read; default: nobody's. */
  readonly isDamaged?: ((site: SiteName) => boolean) | undefined;
  readonly now: EpochMillis;
}

export function judgeSight(sight: Sight, by: Judge): Judged {
  const { watched, record } = sight;
  const { now } = by;
  if (watched === null) {
    const nothing = { verdict: null, isUntold: false, warning: null, lag: null, isOpen: false };
    return { ...sight, ...nothing, changesAt: null, now };
  }
  const judgement = judgeSite(watched, record, by);
  const isUntold = isVerdictNews(watched, judgement.verdict, by.region);
  const { probe } = by.evidenceOf?.(watched.service, watched.site, now) ?? NO_EVIDENCE;
  const warning = newWarningOf(watched, record, { observer: by.region, probe, now });
  const lag = newLagOf(watched, record);
  const isOpen = isUntold || warning !== null || lag !== null;
  return { ...sight, ...judgement, isUntold, warning, lag, isOpen, now };
}

/** The verdict of now, and when time alone may change it. */
export function judgeSite(
  watched: WatchedSite,
  record: SiteRecord | null,
  by: Judge,
): { readonly verdict: Verdict; readonly changesAt: EpochMillis | null } {
  if (by.isDamaged?.(watched) === true) {
    return { verdict: judgeDamaged(by.now), changesAt: null };
  }
  if (isScheduled(watched)) {
    const { doubt = null, presentSince = by.now } = by.self ?? {};
    const since = watchedSince(watched, presentSince);
    const ends = record === null ? [] : [record.suspectAt, record.failAt];
    return {
      verdict: judgeJob(record, watched, { presentSince: since, doubt, now: by.now }),
      changesAt: ends.find((at) => at > by.now) ?? null,
    };
  }
  const input = inputOf(watched, record, by);
  return { verdict: judge(input), changesAt: changesAt(input) };
}

function inputOf(watched: WatchedSite, record: SiteRecord | null, by: Judge): JudgeInput {
  const { service, site, detection, watchChange } = watched;
  const { self, evidenceOf, now } = by;
  return {
    doubt: null,
    ...self,
    baselineAt: watchedSince(watched, self?.baselineAt ?? now),
    window: record?.window ?? null,
    reportedStatus: record?.reportedStatus ?? 'ok',
    fencedSince: record?.fencedSince ?? null,
    evidence: evidenceOf?.(service, site, now) ?? NO_EVIDENCE,
    now,
    policy: ruledBy(detection, watchChange, record?.window.lastArrivalAt ?? null),
  };
}

/** Since when silence counts: this observer was there, and the site is watched by these rules. */
function watchedSince({ watchChange }: WatchedSite, observerSince: EpochMillis): EpochMillis {
  return epochMillis(Math.max(observerSince, watchableFrom(watchChange) ?? observerSince));
}

/** A judgement beside the log of now: a word of before may have come in while this one was made. */
export function besideLog(
  judged: Judged,
  { state, region }: { readonly state: RecoveryState; readonly region: RegionId },
): Judged {
  const { name, verdict } = judged;
  const watched = watchedSite(state, name.service, name.site);
  return verdict !== null && watched !== null && isVerdictNews(watched, verdict, region)
    ? { ...judged, isUntold: true, isOpen: true }
    : judged;
}

function isVerdictNews(
  { detection, verdicts }: WatchedSite,
  verdict: Verdict,
  region: RegionId,
): boolean {
  return isNews(verdict, {
    standing: ownValue(verdicts, region)?.verdict,
    committed: Object.values(verdicts).map((committed) => committed.verdict),
    proofMsMax: proofMsMaxOf(detection),
  });
}

/** What the log is to hear of a site. */
export function newsOf(
  { watched, record, verdict, isUntold, warning, lag }: Judged,
  observer: RegionId,
  at: EpochMillis,
): readonly ControlCommand[] {
  if (watched === null) {
    return [];
  }
  const { service, site } = watched;
  const news: ControlCommand[] = [];
  if (verdict !== null && isUntold) {
    const replicationLagMs = record?.replicationLagMs ?? null;
    news.push({ kind: 'verdict', at, observer, service, site, verdict, replicationLagMs });
  }
  if (warning !== null) {
    news.push({ kind: 'warning', at, observer, service, site, warning });
  }
  if (lag !== null) {
    news.push({ kind: 'lag', at, observer, service, site, source: 'heartbeats', ...lag });
  }
  return news;
}
