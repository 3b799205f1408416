/** What to do next, as one command that works as printed. Pure: a status in, a line out. */
import type { RunJson, ServiceJson, StatusJson } from '../../api/schemas.ts';

export interface Suggestion {
  readonly command: string;
  readonly why: string;
}

/** The most useful next command; null when all is well and where it should be. */
export function nextAfterStatus({ services, consensus }: StatusJson): Suggestion | null {
  if (services.length === 0) {
    return { command: 'tripoint apply FILE', why: 'describes the services to protect' };
  }
  if (!consensus.quorum) {
    return { command: 'tripoint status --watch', why: 'nothing can be decided without a majority' };
  }
  const found = services.flatMap((service) => nextForService(service) ?? []);
  return found[0] ?? null;
}

function nextForService(service: ServiceJson): Suggestion | null {
  const { phase, service: name, activeSite, primary } = service;
  if (phase.run !== undefined) {
    return { command: `tripoint runs ${phase.run}`, why: 'shows how far the run is' };
  }
  if (phase.kind === 'impaired') {
    return {
      command: `tripoint failover ${name} --reason TEXT --dry-run`,
      why: 'shows what a failover would change',
    };
  }
  const home = service.sites.find(({ site }) => site === primary);
  return activeSite !== primary && home?.opinion.state === 'healthy'
    ? {
        command: `tripoint failback ${name} --reason TEXT`,
        why: `${primary}, the primary site, is healthy again`,
      }
    : null;
}

export function nextAfterRun(run: RunJson): Suggestion {
  if (run.outcome.kind === 'open') {
    return { command: `tripoint runs ${run.run}`, why: 'shows how far the run is' };
  }
  return run.outcome.kind === 'failed'
    ? { command: `tripoint log --service ${run.service}`, why: 'shows what happened' }
    : { command: `tripoint runs ${run.run} --report`, why: 'is the report with the evidence' };
}
