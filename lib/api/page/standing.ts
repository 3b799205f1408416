/** What stands of a service beyond its sites: shares, protection, and what people have set. */
import type { ServiceJson } from '../schemas.ts';
import { ago, dayTime, html, type Markup, mark } from './markup.ts';

/** Rows of the facts; none when all is as usual. */
export function standingFacts(service: ServiceJson, now: string): readonly (Markup | null)[] {
  return [
    trafficFact(service),
    service.granted
      ? null
      : fact(
          'Authority',
          html`${mark('busy', 'Nobody is active')} the lease of the site before must lapse first`,
        ),
    unprotectedFact(service, now),
    service.freeze === null ? null : fact('Freeze', words('Frozen', service.freeze)),
    ...service.overrides.map((override) => fact('Set aside', words(override.rule, override))),
    acknowledgementFact(service, now),
    drillFact(service, now),
    ...readinessFacts(service),
  ];
}

function fact(name: string, value: Markup): Markup {
  return html`<div class="whole"><dt>${name}</dt><dd>${value}</dd></div>
`;
}

interface Standing {
  readonly untilAt: string;
  readonly by: string;
  readonly reason: string;
}

function words(what: string, { untilAt, by, reason }: Standing): Markup {
  return html`${mark('watch', what)} until ${dayTime(untilAt)}, by <bdi>${by}</bdi>: <bdi>${reason}</bdi>`;
}

/** Only where more than one site serves, or none alone may be meant. */
function trafficFact({ traffic, strategy }: ServiceJson): Markup | null {
  const shares = Object.entries(traffic).filter(([, percent]) => percent > 0);
  return shares.length < 2 && strategy !== 'active-active'
    ? null
    : fact(
        'Traffic',
        html`${shares.map(([site, percent], place) => html`${place === 0 ? null : ' · '}${site} <span class="number">${percent} %</span>`)}`,
      );
}

function unprotectedFact({ unprotectedSinceAt }: ServiceJson, now: string): Markup | null {
  return unprotectedSinceAt === null
    ? null
    : fact(
        'Protection',
        html`${mark('bad', 'Unprotected')} no other site is ready <span class="quiet">${ago(unprotectedSinceAt, now)}</span>`,
      );
}

function acknowledgementFact({ acknowledgement }: ServiceJson, now: string): Markup | null {
  return acknowledgement === null
    ? null
    : fact(
        'Acknowledge',
        html`${mark('watch', 'Waiting')} nobody has seen <a href="#run-${acknowledgement.run}">run ${acknowledgement.run}</a> <span class="quiet">${ago(acknowledgement.sinceAt, now)}</span>; until then none starts by itself`,
      );
}

function drillFact({ drill }: ServiceJson, now: string): Markup | null {
  return drill === null
    ? null
    : fact(
        'Drill',
        html`${mark('busy', 'Practice')} at ${drill.site}${drillEnd(drill.revertAt, now)}`,
      );
}

function drillEnd(revertAt: string | null, now: string): Markup | null {
  if (revertAt === null) {
    return null;
  }
  return Date.parse(revertAt) <= Date.parse(now)
    ? html`, ${mark('bad', 'overdue')} since ${dayTime(revertAt)}`
    : html`, until ${dayTime(revertAt)}`;
}

function readinessFacts({ readiness }: ServiceJson): readonly Markup[] {
  return (readiness?.findings ?? [])
    .filter(({ severity }) => severity === 'failing')
    .map(({ code, subject, sentence, fix }) =>
      fact(
        'Readiness',
        html`${mark('bad', 'Not ready')} <bdi>${subject}</bdi>: ${sentence} <code>${code}</code> <span class="quiet">${fix}</span>`,
      ),
    );
}
