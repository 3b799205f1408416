/**
 * What the entry that authorised a run determines of the head of its report, and what no entry that a
 * report carries can show. Pure.
 *
 * An entry is a command: it says who asked for what. What the machine chose by itself (the target
 * where nobody named one, the shares, the loss that was measured) stands in its state, which only the
 * whole log gives. Those parts are named, so that nobody takes them for proven.
 */
import type { JsonValue } from '../base/json.ts';
import type { ReportDocument } from '../recovery/report-document.ts';

interface Body {
  readonly [member: string]: JsonValue | undefined;
}

type Head = 'kind' | 'mode' | 'trigger' | 'to' | 'requestedBy' | 'reason';

/** Runs that a person can ask for, by the command that does. */
const ASKED_KINDS: { readonly [command: string]: readonly string[] } = {
  failover: ['failover', 'rebalance'],
  failback: ['failback', 'rebalance'],
  'set-weights': ['rebalance'],
  drill: ['drill'],
  'drill-end': ['drill-return'],
};
const AUTOMATIC_KINDS = ['failover', 'rebalance', 'drill-return'] as const;
const CHILD_KINDS = ['failover', 'rebalance'] as const;

/** What each part of the head may be; a part that is absent is not determined. */
function allowedHead(
  { kind, parent }: ReportDocument,
  body: Body,
): { readonly [Part in Head]?: readonly unknown[] } {
  if (parent !== null) {
    return { kind: CHILD_KINDS, trigger: ['manual'], reason: [`child of run ${parent}`] };
  }
  const asked = ASKED_KINDS[String(body['kind'])];
  if (asked === undefined) {
    return {
      kind: AUTOMATIC_KINDS,
      trigger: ['automatic'],
      requestedBy: ['tripoint'],
      // A way home says why it goes, in the words of the decision.
      ...(kind === 'drill-return' ? { mode: ['graceful'] } : { reason: ['automatic'] }),
    };
  }
  const isDrill = kind === 'drill' || kind === 'drill-return';
  const [to, mode] = [body['to'] ?? null, body['mode'] ?? null];
  return {
    kind: asked,
    trigger: ['manual'],
    requestedBy: [body['by']],
    reason: [body['reason']],
    ...(isDrill
      ? { mode: ['graceful'] }
      : mode === null || kind === 'rebalance'
        ? {}
        : { mode: [mode] }),
    ...(to === null || kind === 'rebalance' ? {} : { to: [to] }),
  };
}

/** The first part of the head that the entry does not bear out; null = none. */
export function contradiction(report: ReportDocument, body: Body): Head | null {
  const allowed = Object.entries(allowedHead(report, body)) as [Head, readonly unknown[]][];
  return allowed.find(([part, values]) => !values.includes(report[part]))?.[0] ?? null;
}

const HEAD: readonly Head[] = ['kind', 'mode', 'trigger', 'to', 'requestedBy', 'reason'];

/** Of every report: chosen, measured or kept by the machine. */
const NEVER_SHOWN = [
  'from',
  'analysis',
  'outcome.at',
  'outcome.code',
  'rto.objectiveMs',
  'rpo.objectiveMs',
  'rpo.actualMs',
  'traffic.before',
  'traffic.wanted',
  'loss',
  'undo.code',
  'undo.at',
  'drill',
  'children',
  'steps.*.kind',
  'steps.*.stage',
  'steps.*.essential',
  'steps.*.isUndo',
  'steps.*.waits',
  'steps.*.epoch.index',
  'log.index',
  'log.chain',
  'log.founders',
  'log.complete',
  'generatedAt',
  'generatedBy',
] as const;

/**
 * Parts of which the entries of the report do not show that they are as it says.
 *
 * @param body of the entry that authorised the run; null = it is not in the report
 */
export function partsNotShown(report: ReportDocument, body: Body | null): readonly string[] {
  const allowed = body === null ? {} : allowedHead(report, body);
  const head = HEAD.filter((part) => allowed[part]?.length !== 1);
  // Nobody worked on these: the log settled, skipped or has not opened them.
  const settled = report.steps.flatMap(({ attempts }, place) =>
    attempts === 0 ? [`steps.${place}`] : [],
  );
  return [...head, ...(body === null ? ['parent'] : []), ...NEVER_SHOWN, ...settled];
}
