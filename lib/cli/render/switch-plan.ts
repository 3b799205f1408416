/**
 * The plan of a switch as the operator confirms it: from where to where, and each DNS record.
 *
 * The target is chosen here and then named in the command, so that what was shown is what is done,
 * or nothing is: if the control plane sees it differently by then, it refuses.
 */
import type { DryRunJson, ServiceJson, SiteJson } from '../../api/schemas.ts';
import type { Style } from './style.ts';
import { formatElapsed } from './time.ts';

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
  /** null = no site can be named, and the decision says why. */
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
  /** As the active site last reported it; null = it reports none. */
  readonly replicationLagMs: number | null;
  readonly rpoMs: number;
}

/**
 * The site that a failover without a named target would choose: the first in the policy's order of
 * preference that is healthy, not active, and has no alarm. null = there is none.
 */
export function preferredTarget({ sites }: ServiceJson): string | null {
  const isReady = ({ role, opinion, alarms }: SiteJson) =>
    role === 'standby' &&
    opinion.state === 'healthy' &&
    alarms.every(({ state }) => state !== 'alarm');
  return sites.find(isReady)?.site ?? null;
}

export function planSwitch(
  kind: SwitchPlan['kind'],
  service: ServiceJson,
  { to, decision }: { readonly to: string | null; readonly decision: DryRunJson },
): SwitchPlan {
  const from = service.sites.find(({ site }) => site === service.activeSite);
  const target = service.sites.find(({ site }) => site === to);
  const moves = target !== undefined && from !== undefined && target.site !== from.site;
  return {
    kind,
    service: service.service,
    dnsName: service.dnsName,
    from: service.activeSite,
    to,
    decision: {
      accepted: decision.wouldBe === 'accepted',
      code: decision.code,
      sentence: decision.sentence,
    },
    records: moves ? [record(service, 'DELETE', from), record(service, 'CREATE', target)] : [],
    fence: moves ? fenceChange(service, target) : null,
    ttlSeconds: service.ttlSeconds,
    replicationLagMs: from?.observation?.replicationLagMs ?? null,
    rpoMs: service.objectives.rpoMs,
  };
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

export function renderSwitchPlan(plan: SwitchPlan, style: Style): readonly string[] {
  const { decision, replicationLagMs: lagMs } = plan;
  const answer = decision.accepted
    ? style('● would be accepted', 'good')
    : style('✖ would be refused', 'bad');
  return [
    `${style(`${plan.kind} of ${plan.service}`, 'strong')}: ${style(`${plan.from} → ${plan.to ?? '?'}`, 'strong')}`,
    `  ${answer}: ${style(`${decision.code}: ${decision.sentence}`, 'plain')}`,
    ...plan.records.map((change) => `  ${renderRecord(change, style)}`),
    ...renderFence(plan, style),
    ...(plan.records.length === 0
      ? []
      : [`  clients may keep the old answer for ${plan.ttlSeconds} s (TTL)`]),
    ...(lagMs === null
      ? []
      : [
          `  replication lag ${formatElapsed(lagMs)}, objective (RPO) ${formatElapsed(plan.rpoMs)}`,
        ]),
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
