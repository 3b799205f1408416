/** What to do next, as one command that works as printed. Pure: a status in, a line out. */
import type { RunJson, ServiceJson, StatusJson } from '../../api/schemas.ts';

export interface Suggestion {
  readonly command: string;
  readonly why: string;
}

/**
 * The most useful next command, over all services: what keeps an outage open comes first, what can
 * wait comes last. Null when all is well and where it should be.
 */
export function nextAfterStatus({ services, consensus, runs }: StatusJson): Suggestion | null {
  if (services.length === 0) {
    return { command: 'tripoint apply FILE', why: 'describes the services to protect' };
  }
  if (!consensus.quorum) {
    return { command: 'tripoint status --watch', why: 'nothing can be decided without a majority' };
  }
  const waiting = runs.filter((run) => run.waitingFor.length > 0);
  const { failover = [], other = [] } = Object.groupBy(waiting, ({ kind }) =>
    kind === 'failover' ? 'failover' : 'other',
  );
  const found = [
    ...failover.map(approve),
    ...services.flatMap(nextForImpaired),
    ...other.map(approve),
    ...services.flatMap(nextForRun),
    ...services.flatMap(nextForAcknowledgement),
    ...services.flatMap(nextForDrill),
    ...services.flatMap(nextForAway),
  ];
  return found[0] ?? null;
}

function approve({ run }: RunJson): Suggestion {
  return { command: `tripoint approve ${run} --reason TEXT`, why: 'a second person must agree' };
}

function nextForImpaired({ phase, service }: ServiceJson): readonly Suggestion[] {
  const command = `tripoint failover ${service} --reason TEXT --dry-run`;
  return phase.kind === 'impaired' ? [{ command, why: 'shows what a failover would change' }] : [];
}

function nextForRun({ phase: { run } }: ServiceJson): readonly Suggestion[] {
  return run === undefined
    ? []
    : [{ command: `tripoint runs ${run}`, why: 'shows how far the run is' }];
}

function nextForAcknowledgement({ service, acknowledgement }: ServiceJson): readonly Suggestion[] {
  const command = `tripoint acknowledge ${service} --reason TEXT`;
  const why = 'no automatic run follows until somebody has seen the last one';
  return acknowledgement === null ? [] : [{ command, why }];
}

function nextForDrill({ service, drill, phase }: ServiceJson): readonly Suggestion[] {
  return drill === null || phase.kind !== 'practising'
    ? []
    : [{ command: `tripoint drill end ${service}`, why: 'sends the traffic of the drill home' }];
}

/** Shares of several sites have no home: whoever chose them is right. */
function nextForAway(service: ServiceJson): readonly Suggestion[] {
  const { service: name, sites, activeSite, primary, strategy, drill, phase } = service;
  const home = sites.find(({ site }) => site === primary);
  const isAway = activeSite !== primary && strategy !== 'active-active' && drill === null;
  return isAway && phase.kind === 'steady' && home?.opinion.state === 'healthy'
    ? [
        {
          command: `tripoint failback ${name} --reason TEXT`,
          why: `${primary}, the primary site, is healthy again`,
        },
      ]
    : [];
}

export function nextAfterRun(run: RunJson): Suggestion {
  if (run.outcome.kind === 'open') {
    return { command: `tripoint runs ${run.run}`, why: 'shows how far the run is' };
  }
  return run.outcome.kind === 'failed'
    ? { command: `tripoint log --service ${run.service}`, why: 'shows what happened' }
    : { command: `tripoint reports ${run.run} --markdown`, why: 'shows the report of this run' };
}
