/** The states of a site and of a service as shape, word and colour. */
import { isTroubled } from '../../api/monitor-schemas.ts';
import type { RunJson, ServiceJson, SiteJson, StatusJson } from '../../api/schemas.ts';
import type { Paint } from './style.ts';
import { type Cell, cell } from './table.ts';

type VerdictState = SiteJson['opinion']['state'];

const SHAPES: { readonly [state in VerdictState]: readonly [shape: string, paint: Paint] } = {
  pending: ['○', 'dim'],
  healthy: ['●', 'good'],
  suspect: ['◐', 'warning'],
  degraded: ['▲', 'warning'],
  unknown: ['?', 'warning'],
  failed: ['✖', 'bad'],
};

export function verdictCell(state: VerdictState): Cell {
  const [shape, paint] = SHAPES[state];
  return cell(`${shape} ${state}`, paint);
}

export function roleCell(role: SiteJson['role']): Cell {
  return role === 'active' ? cell('▶ active', 'strong') : cell('  standby', 'dim');
}

const PHASES: { readonly [kind in ServiceJson['phase']['kind']]: Paint } = {
  steady: 'good',
  impaired: 'bad',
  'setting-up': 'warning',
  recovering: 'warning',
  returning: 'warning',
  rebalancing: 'warning',
  drilling: 'warning',
  practising: 'warning',
  'drill-returning': 'warning',
};

export function phasePaint(phase: ServiceJson['phase']): Paint {
  return PHASES[phase.kind];
}

/** `impaired (site-failed)`, `recovering (checkout-42)`. */
export function phaseText({ kind, cause, run }: ServiceJson['phase']): string {
  const detail = cause ?? run;
  return detail === undefined ? kind : `${kind} (${detail})`;
}

export function outcomeCell({ kind, code, exceptions }: RunJson['outcome']): Cell {
  switch (kind) {
    case 'open':
      return cell('◐ open', 'warning');
    case 'failed':
      return cell(`✖ failed${code === null ? '' : `: ${code}`}`, 'bad');
    case 'done':
      return exceptions.length === 0
        ? cell('● done', 'good')
        : cell(`▲ done, with ${exceptions.join(', ')}`, 'warning');
  }
}

/**
 * Whether all is well: a majority of regions answers, every service is steady, its active site
 * healthy and a standby ready, and no site of a monitor is in trouble. The condition of
 * `status --exit-code`.
 */
export function isHealthy({ consensus, services, monitors }: StatusJson): boolean {
  const isQuiet = monitors.every(({ sites }) => !sites.some(isTroubled));
  return consensus.quorum && services.every(isServiceHealthy) && isQuiet;
}

export function isServiceHealthy({ phase, analysis }: ServiceJson): boolean {
  return phase.kind === 'steady' && analysis.code === 'all-sites-healthy';
}
