/**
 * What happened between two status answers, as lines for a person who watches.
 *
 * Pure: two values in, lines out. Answers may come from different regions, one of which lags; the
 * caller passes only answers whose applied index does not fall, so nothing is told twice.
 */

import type { RunJson, ServiceJson, SiteJson, StagesJson, StatusJson } from '../api/schemas.ts';
import { formatElapsed } from '../base/elapsed.ts';

/** Lines in the order in which things happen: verdicts, decisions, runs, leadership. */
export function describeChanges(before: StatusJson, after: StatusJson): readonly string[] {
  const serviceLines = after.services.flatMap((service) => {
    const known = before.services.find((candidate) => candidate.service === service.service);
    return known === undefined ? [] : describeService(known, service);
  });
  const runLines = after.runs.toReversed().flatMap((run) => {
    const known = before.runs.find((candidate) => candidate.run === run.run);
    return describeRun(known ?? null, run);
  });
  return [...describeLeadership(before, after), ...serviceLines, ...runLines];
}

function describeLeadership(before: StatusJson, after: StatusJson): readonly string[] {
  const { leader, term, quorum } = after.consensus;
  const lines: string[] = [];
  if (quorum !== before.consensus.quorum) {
    lines.push(
      quorum
        ? 'a majority of regions answers again'
        : 'no majority of regions answers: nothing can be decided, the last state is served',
    );
  }
  if (leader !== null && (leader !== before.consensus.leader || term !== before.consensus.term)) {
    lines.push(`${leader} leads (term ${term})`);
  }
  return lines;
}

function describeService(before: ServiceJson, after: ServiceJson): readonly string[] {
  const siteLines = after.sites.flatMap((site) => {
    const known = before.sites.find((candidate) => candidate.site === site.site);
    return known === undefined ? [] : describeSite(after.service, known, site);
  });
  const { decision } = after;
  const isNews = decision !== null && decision.index !== before.decision?.index;
  return isNews
    ? [...siteLines, `${after.service}: ${decision.kind} (${decision.code}): ${decision.sentence}`]
    : siteLines;
}

function describeSite(service: string, before: SiteJson, after: SiteJson): readonly string[] {
  const name = `${service}@${after.site}`;
  const verdicts = after.verdicts.flatMap(({ observer, state, sentence }) => {
    const known = before.verdicts.find((candidate) => candidate.observer === observer);
    return known?.state === state ? [] : [`  ${observer} finds ${name} ${state}: ${sentence}`];
  });
  const { opinion } = after;
  return opinion.state === before.opinion.state
    ? verdicts
    : [...verdicts, `${name} is ${opinion.state}: ${opinion.sentence}`];
}

function describeRun(before: RunJson | null, after: RunJson): readonly string[] {
  const lines: string[] = [];
  if (before === null) {
    const { run, kind, from, to, trigger, reason } = after;
    lines.push(`run ${run}: ${trigger} ${kind}, ${from} → ${to}${reason ? ` (${reason})` : ''}`);
  }
  for (const step of after.steps) {
    const known = before?.steps.find(({ name }) => name === step.name);
    const isOver = step.state === 'done' || step.state === 'failed';
    if (isOver && known?.state !== step.state && step.at !== null) {
      const elapsed = formatElapsed(Date.parse(step.at) - Date.parse(after.authorisedAt));
      const code = step.code === null ? '' : ` (${step.code})`;
      lines.push(`  ${step.name} ${step.state}${code} at +${elapsed}`);
    }
  }
  if (after.outcome.kind !== 'open' && before?.outcome.kind !== after.outcome.kind) {
    lines.push(`run ${after.run} ${after.outcome.kind}: ${describeStages(after.stages)}`);
  }
  return lines;
}

const STAGES = [
  ['detect', 'detectMs'],
  ['decide', 'decideMs'],
  ['act', 'actMs'],
  ['propagate', 'propagateMs'],
  ['verify', 'verifyMs'],
] as const;

function describeStages(stages: StagesJson): string {
  const parts = STAGES.flatMap(([name, member]) => {
    const durationMs = stages[member];
    return durationMs === null ? [] : [`${name} ${formatElapsed(durationMs)}`];
  });
  const total = stages.totalMs === null ? [] : [`actual RTO ${formatElapsed(stages.totalMs)}`];
  return [...parts, ...total].join(', ');
}
