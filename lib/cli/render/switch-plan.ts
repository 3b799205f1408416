/**
 * The plan of a switch as the operator confirms it: from where to where, and each DNS record.
 *
 * The target is the one that the dry run answers, and is named in the command, so that what was shown
 * is what is done, or nothing is: if the control plane sees it differently by then, it refuses.
 */
import type { TabletopJson } from '../../api/preparation-schemas.ts';
import type { DryRunJson, RunJson, ServiceJson, SiteJson } from '../../api/schemas.ts';
import { runAimLines, runStageLines } from './recovery.ts';
import type { Style } from './style.ts';
import { renderPlayedRuns } from './tabletop.ts';

export interface RecordChange {
  readonly action: 'DELETE' | 'CREATE';
  readonly name: string;
  readonly type: string;
  readonly ttlSeconds: number;
  readonly value: string;
}

export interface SwitchPlan {
  readonly kind: 'failover' | 'failback';
  readonly service: string;
  readonly dnsName: string;
  readonly from: string;
  /** null = the run is refused, and nobody named a site. */
  readonly to: string | null;
  readonly decision: {
    readonly accepted: boolean;
    readonly code: string;
    readonly sentence: string;
  };
  readonly records: readonly RecordChange[];
  /** TXT record that fences off late workers; its new epoch is that of the log entry. */
  readonly fence: { readonly name: string; readonly from: string; readonly to: string } | null;
  /** How long resolvers may go on with the old answer. */
  readonly ttlSeconds: number;
  readonly rpoMs: number;
  /** The run that would begin; null where it is refused, or a region of before was asked. */
  readonly run: RunJson | null;
}

/** What the dry run answers: nothing of the decision is made here again. */
export function planSwitch(
  kind: SwitchPlan['kind'],
  service: ServiceJson,
  { asked, decision }: { readonly asked: string | null; readonly decision: DryRunJson },
): SwitchPlan {
  const { plan: run } = decision;
  const from = service.sites.find(({ site }) => site === (run?.from ?? service.activeSite));
  const to = run?.to ?? asked;
  const target = service.sites.find(({ site }) => site === to);
  // Shares of several sites are more than two records: the tabletop of `--dry-run` has them all.
  const isWhole = run !== null && [run.before, run.traffic].every(isOfOneSite);
  const isMove = isWhole && target !== undefined && from !== undefined && target !== from;
  return {
    kind,
    service: service.service,
    dnsName: service.dnsName,
    from: from?.site ?? service.activeSite,
    to,
    decision: {
      accepted: decision.wouldBe === 'accepted',
      code: decision.code,
      sentence: decision.sentence,
    },
    records: isMove ? [record(service, 'DELETE', from), record(service, 'CREATE', target)] : [],
    fence: isMove ? fenceChange(service, target) : null,
    ttlSeconds: service.ttlSeconds,
    rpoMs: service.objectives.rpoMs,
    run,
  };
}

function isOfOneSite(traffic: RunJson['traffic']): boolean {
  return Object.values(traffic).filter((percent) => percent > 0).length === 1;
}

function record(
  service: ServiceJson,
  action: RecordChange['action'],
  { address }: SiteJson,
): RecordChange {
  const { dnsName: name, recordType: type, ttlSeconds } = service;
  return { action, name, type, ttlSeconds, value: address };
}

function fenceChange({ dnsName, epoch, activeSite }: ServiceJson, target: SiteJson) {
  return {
    name: `_tripoint.${dnsName}`,
    from: `term=${epoch.term} index=${epoch.index} site=${activeSite}`,
    to: `term≥${epoch.term} index>${epoch.index} site=${target.site}`,
  };
}

/** @param played the same command played through; null = it was not, and the plan alone is shown. */
export function renderSwitchPlan(
  plan: SwitchPlan,
  style: Style,
  played: TabletopJson | null = null,
): readonly string[] {
  const { decision } = plan;
  const answer = decision.accepted
    ? style('● would be accepted', 'good')
    : style('✖ would be refused', 'bad');
  const isPlayed = played !== null && played.steps.length > 0;
  return [
    `${style(`${plan.kind} of ${plan.service}`, 'strong')}: ${style(`${plan.from} → ${plan.to ?? '?'}`, 'strong')}`,
    `  ${answer}: ${style(`${decision.code}: ${decision.sentence}`, 'plain')}`,
    ...(isPlayed ? [] : renderRecords(plan, style)),
    ...(decision.accepted
      ? [`  clients may keep the old answer for ${plan.ttlSeconds} s (TTL)`]
      : []),
    ...runAimLines(plan.run, style, plan.rpoMs),
    ...(isPlayed
      ? [modeLine(plan), ...renderPlayedRuns(played, style)]
      : runStageLines(plan.run, style)),
  ];
}

function modeLine({ run }: SwitchPlan): string {
  return `  ${run === null ? 'the' : run.mode} run, step by step:`;
}

function renderRecords(plan: SwitchPlan, style: Style): readonly string[] {
  return [
    ...plan.records.map((change) => `  ${renderRecord(change, style)}`),
    ...renderFence(plan, style),
  ];
}

function renderRecord({ action, name, type, ttlSeconds, value }: RecordChange, style: Style) {
  const text = `${name}. ${ttlSeconds} IN ${type} ${value}`;
  return action === 'DELETE' ? style(`- ${text}`, 'bad') : style(`+ ${text}`, 'good');
}

function renderFence({ fence }: SwitchPlan, style: Style): readonly string[] {
  return fence === null
    ? []
    : [
        `  ${style(`- ${fence.name}. TXT ${fence.from}`, 'bad')}`,
        `  ${style(`+ ${fence.name}. TXT ${fence.to}`, 'good')}`,
      ];
}
