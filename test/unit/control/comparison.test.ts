import { describe, expect, test } from 'vitest';
import { regionId } from '../../../lib/base/identifiers.ts';
import { ComparedSites, type Tentative } from '../../../lib/control/comparison.ts';
import { watchedSite } from '../../../lib/control/watched-sites.ts';
import type { VerdictState } from '../../../lib/detection/verdict.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { atMs, EAST, OBSERVERS, T0, verdictOf, WEST } from '../../support/service-states.ts';

const [A = regionId('a'), B = regionId('b')] = OBSERVERS;

function tentative({ state }: LogStory, site: string, verdict: VerdictState): Tentative {
  return { watched: watchedSite(state(), 'checkout', site), verdict: verdictOf(verdict) };
}

describe('the sites that an observer compares', () => {
  test('are silent alone while only its own new verdicts say so', () => {
    const story = steadyStory();
    const sites = new ComparedSites(A);
    const compare = (...verdicts: readonly Tentative[]) =>
      sites.compare(story.state(), verdicts, T0);
    expect(compare()).toEqual({ known: 2, unconfirmed: 0, alone: 0 });
    expect(compare(tentative(story, EAST, 'suspect'))).toMatchObject({ unconfirmed: 1 });
    story.say(EAST, 'suspect', { by: [B] });
    expect(compare(tentative(story, EAST, 'suspect'))).toMatchObject({ unconfirmed: 0 });
  });

  test('are those of the log where this round has no verdict, and its own word takes their place', () => {
    const story = steadyStory();
    story.say(EAST, 'failed', { by: [A], lastArrivalAt: atMs(-60_000) });
    const sites = new ComparedSites(A);
    expect(sites.compare(story.state(), [], T0)).toEqual({ known: 2, unconfirmed: 1, alone: 1 });
    const heard = tentative(story, EAST, 'healthy');
    expect(sites.compare(story.state(), [heard], T0)).toMatchObject({ unconfirmed: 0, alone: 0 });
  });

  test('grow old while the log stands still: what was unconfirmed becomes alone', () => {
    const story = steadyStory();
    story.say(WEST, 'failed', { by: [A] });
    const sites = new ComparedSites(A);
    const alone = (ms: number) => sites.compare(story.state(), [], atMs(ms)).alone;
    expect([alone(0), alone(24_000), alone(24_001)]).toEqual([0, 0, 1]);
  });

  test('leave out what is configured no more', () => {
    const story = steadyStory();
    const gone: Tentative = { watched: null, verdict: verdictOf('suspect') };
    const sites = new ComparedSites(A);
    expect(sites.compare(story.state(), [gone], T0)).toMatchObject({ unconfirmed: 0 });
  });
});
