/**
 * Says in one sentence why a verdict is what it is, e.g. `silent 4.1 s, usual 1.0 ± 0.2 s,
 * φ 11.3 > 8`. For people: programs and tests match the code.
 */
import { inSeconds } from '../base/elapsed.ts';
import { type ArrivalWindow, usualPace } from './arrival-window.ts';
import { arrivalsNeeded } from './flapping.ts';
import { DISPLAYED_PHI_MAX } from './limits.ts';
import type { JudgedCode, JudgeInput, Silence } from './verdict.ts';

export const NEVER_HEARD = 'no heartbeat was ever heard';

type Judged = Omit<JudgeInput, 'window'> & Silence & { readonly window: ArrivalWindow };

export function explain(code: JudgedCode, judged: Judged): string {
  return SENTENCES[code](judged, paceOf(judged.window, judged));
}

const SENTENCES: { readonly [Code in JudgedCode]: (judged: Judged, pace: string) => string } = {
  deregistered: () => 'the site said that it leaves; nothing is expected until it beats again',
  beating: (_, pace) => pace,
  'gave-up-role': (_, pace) => `beats and has no role, because no answer reaches it; ${pace}`,
  'reports-degraded': (_, pace) => `beats and reports itself degraded; ${pace}`,
  'reports-failing': (_, pace) => `beats and reports itself failing; ${pace}`,
  'probe-failing': ({ evidence }, pace) =>
    `beats and does not serve: ${evidence.probe?.detail ?? 'its probe fails'}; ${pace}`,
  'callers-report-trouble': ({ evidence }, pace) =>
    `beats and its callers report trouble: ${evidence.callers?.detail ?? 'failures'}; ${pace}`,
  recovering: ({ window }, pace) => `heard again after an outage, ${shownBy(window)}; ${pace}`,
  flapping: ({ window }, pace) => `comes and goes, ${shownBy(window)} since the last time; ${pace}`,
  'phi-over-suspect': (_, pace) => pace,
  'phi-over-fail': (_, pace) => pace,
  'silence-over-suspect-bound': ({ limits }, pace) =>
    `${pace}; silent longer than ${inSeconds(limits.suspectMs)} s is always suspect`,
  'silence-over-fail-bound': ({ limits }, pace) =>
    `${pace}; silent longer than ${inSeconds(limits.failMs)} s is always failed`,
  'silent-but-serving': ({ evidence }, pace) =>
    `${pace}; but it serves: ${evidence.probe?.detail ?? 'its probe passes'}`,
  'silent-and-refused': ({ evidence }, pace) =>
    `${pace}; and its port refuses: ${evidence.probe?.detail ?? 'connection refused'}`,
  'many-silent-at-once': (_, pace) =>
    `${pace}; most sites fell silent here at once and no other observer misses them`,
  'evaluation-late': (_, pace) => `this observer evaluates late and convicts nobody; ${pace}`,
  'store-errors': (_, pace) => `this observer had store errors and convicts nobody; ${pace}`,
  'clock-stepped-back': (_, pace) =>
    `the clock of this observer stepped back, it convicts nobody; ${pace}`,
  'observer-unwell': ({ score = 0 }, pace) =>
    `this observer doubts itself (score ${score}) and convicts nobody; ${pace}`,
  'arrival-in-future': ({ unheardMs }) =>
    `the last arrival is stamped ${inSeconds(-unheardMs)} s ahead of the clock of this observer`,
  'not-watched-long-enough': ({ unheardMs, silentMs }) =>
    `silent ${inSeconds(unheardMs)} s, of which this observer watched only ${inSeconds(silentMs)} s`,
};

function shownBy(window: ArrivalWindow): string {
  return `${window.arrivalsSinceCrossing} of ${arrivalsNeeded(window)} arrivals at normal pace`;
}

function paceOf(
  window: ArrivalWindow,
  { policy, silentMs, phi }: Pick<Silence, 'policy' | 'silentMs' | 'phi'>,
): string {
  const { meanMs, spreadMs } = usualPace(window, policy.intervalMs);
  const threshold = phi >= policy.failPhi ? policy.failPhi : policy.suspectPhi;
  const comparison = phi >= threshold ? '>' : '<';
  return (
    `silent ${inSeconds(silentMs)} s, usual ${inSeconds(meanMs)} ± ${inSeconds(spreadMs)} s, ` +
    `φ ${Math.min(phi, DISPLAYED_PHI_MAX).toFixed(1)} ${comparison} ${threshold}`
  );
}
