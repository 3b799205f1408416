/** The danger to the RPO as a warning about a site, beside those of single observers. */
import { riskSentence, standingRisks } from '../recovery/replication.ts';
import type { ServiceState } from '../recovery/state.ts';
import type { WarningJson } from './schema-parts.ts';

/** What the log says of a standby: one warning for each source that sees the danger. */
export function presentLagWarnings(service: ServiceState, site: string): WarningJson[] {
  const { rpoMs } = service.policy.objectives;
  return standingRisks(service, site).flatMap(({ lag, risk }) =>
    risk.kind === 'none'
      ? []
      : [
          {
            observer: lag.source,
            code: 'rpo-at-risk' as const,
            sentence: riskSentence(risk, { lagMs: lag.lagMs, rpoMs }),
            sinceAt: new Date(lag.measuredAt).toISOString(),
          },
        ],
  );
}
