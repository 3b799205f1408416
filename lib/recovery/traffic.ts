/**
 * Who is authorised to serve, and with how much of the traffic. Pure.
 *
 * The authority moves when a step that can move traffic is *opened*, never when its effect is done:
 * the entry that opens the step is the permission, and its (term, index) the fencing number. Up to
 * that entry the old site is the active one, however far the preparations (a standby that grows)
 * have come. While a `fence` step is open nobody is active: the old site has lost its role and the
 * new one must not have it before the old one's lease has lapsed.
 */
import { ownValue } from '../base/own-value.ts';
import { apportion } from './apportion.ts';
import type { StepAction } from './plan.ts';
import type { ServicePolicy } from './policy.ts';
import type { Run, Step } from './run.ts';
import type { ServiceState } from './state.ts';

/** Per cent of the traffic by site: whole, sum 100; a site that is absent has none. */
export interface Traffic {
  readonly [site: string]: number;
}

export function wholeTo(site: string): Traffic {
  return { [site]: 100 };
}

/** `us-east-1 50 %, us-west-2 50 %`: who serves, by name. */
export function sharesText(traffic: Traffic): string {
  const serving = Object.entries(traffic).filter(([, share]) => share > 0);
  const sorted = serving.sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([site, share]) => `${site} ${share} %`).join(', ') || 'nobody';
}

export function shareOf(traffic: Traffic, site: string): number {
  return ownValue(traffic, site) ?? 0;
}

/** The site with the largest share; of equals the first in the order of the policy. */
export function leadOf({ sites }: Pick<ServicePolicy, 'sites'>, traffic: Traffic): string | null {
  const serving = sites.map(({ site }) => site).filter((site) => shareOf(traffic, site) > 0);
  const largest = Math.max(0, ...serving.map((site) => shareOf(traffic, site)));
  return serving.find((site) => shareOf(traffic, site) === largest) ?? null;
}

/**
 * The shares when `site` has this many per cent and the others divide the rest as they did before.
 *
 * @param otherwise who takes the rest where nobody else had a share
 */
export function withShare(
  before: Traffic,
  change: { readonly site: string; readonly percent: number; readonly otherwise: string },
): Traffic {
  const { site, percent, otherwise } = change;
  const others = Object.entries(before).filter(([name, share]) => name !== site && share > 0);
  if (others.length === 0) {
    return otherwise === site
      ? wholeTo(site)
      : servingOnly({ [site]: percent, [otherwise]: 100 - percent });
  }
  return servingOnly({ ...Object.fromEntries(apportion(100 - percent, others)), [site]: percent });
}

function servingOnly(traffic: Traffic): Traffic {
  return Object.fromEntries(Object.entries(traffic).filter(([, share]) => share > 0));
}

/**
 * What a step of the run makes of the traffic; null = it leaves it as it is. A `routing` step of a run that
 * changes records too only waits: the traffic was given when the switch was opened.
 */
export function trafficOf(
  run: Pick<Run, 'from' | 'to' | 'before' | 'traffic' | 'steps'>,
  action: StepAction,
): Traffic | null {
  switch (action.kind) {
    case 'switch':
      return run.traffic;
    case 'routing':
      return run.steps.some((step) => step.action.kind === 'switch') ? null : run.traffic;
    case 'weights':
      return withShare(run.before, {
        site: run.to,
        percent: action.targetPercent,
        otherwise: run.from,
      });
    default:
      return null;
  }
}

/** Whether the opening of a step changes who is authorised. */
export function movesAuthority({ action }: Pick<Step, 'action'>): boolean {
  return AUTHORITY.has(action.kind);
}

const AUTHORITY: ReadonlySet<StepAction['kind']> = new Set([
  'fence',
  'switch',
  'weights',
  'routing',
]);

/** The step whose traffic stands when this one is at work: itself, or the latest that moved any. */
export function movingStep(run: Run, step: Step): Step | null {
  const opened = run.steps.filter(
    (other) =>
      other.epoch !== null && other.stage <= step.stage && trafficOf(run, other.action) !== null,
  );
  return opened.at(-1) ?? null;
}

/** What the opening of a step makes of who is authorised. Called by the entry that opens it. */
export function onStepOpened(service: ServiceState, run: Run, step: Step): ServiceState {
  if (step.epoch === null) {
    return service;
  }
  const { action, epoch } = step;
  if (action.kind === 'fence') {
    const activeSite = step.isUndo ? run.from : run.to;
    const holder = holderOf(service);
    const withdrawn = { ...service, activeSite, epoch, granted: false };
    return holder === null ? withdrawn : { ...withdrawn, heldBy: holder };
  }
  const traffic = trafficOf(run, action);
  return traffic === null
    ? service
    : { ...withAuthority(service), activeSite: activeAfter(service, run, traffic), epoch, traffic };
}

/** The service with its authority given out, to the site that is named as the active one. */
export function withAuthority({ heldBy: _heldBy, ...service }: ServiceState): ServiceState {
  return { ...service, granted: true };
}

/** The site that may hold a lease now; null = nobody wrote it down (states of before). */
export function holderOf({ activeSite, granted: isGranted, heldBy }: ServiceState): string | null {
  return isGranted ? activeSite : (heldBy ?? null);
}

/**
 * Whether the opening of this step would let a site serve while another one may hold a lease. With
 * `fencing: lease` the authority comes to another site through a fence that is done, and in no other
 * way, whatever the plan says: this is asked of every step, at the one place that opens them.
 */
export function isUnfenced(service: ServiceState, run: Run, { action }: Step): boolean {
  const { fencing, strategy } = service.policy;
  const traffic = trafficOf(run, action);
  return (
    fencing === 'lease' &&
    strategy !== 'active-active' &&
    traffic !== null &&
    activeAfter(service, run, traffic) !== holderOf(service)
  );
}

/**
 * Where every site that serves is active, the name is that of the largest share. Elsewhere one site holds the
 * authority: it changes hands with the whole of the traffic, and goes back when the target has none.
 */
function activeAfter({ policy, activeSite }: ServiceState, run: Run, traffic: Traffic): string {
  if (policy.strategy === 'active-active') {
    return leadOf(policy, traffic) ?? run.to;
  }
  const lead = leadOf(policy, traffic);
  const hasAll = lead !== null && shareOf(traffic, lead) === 100;
  return hasAll ? lead : activeSite;
}

/** The role of a site: what heartbeats, routing answers and the page say. */
export function roleOf(
  { policy, activeSite, traffic, granted }: ServiceState,
  site: string,
): 'active' | 'standby' {
  const serves =
    policy.strategy === 'active-active' ? shareOf(traffic, site) > 0 : site === activeSite;
  return granted && serves ? 'active' : 'standby';
}
