/** What a run lost: the data that the site which took the traffic did not have. Pure. */
import type { JsonValue } from '../base/json.ts';
import type { Step } from './run.ts';

/** As much of a step as tells what was lost; of a run or of a report. */
export interface LossStep {
  readonly kind: string;
  readonly isUndo: boolean;
  readonly state: string;
  readonly isOpened: boolean;
  readonly evidence: JsonValue;
}

/**
 * What the move lost, of the site that took the traffic: as estimated when the run was authorised, or as
 * measured by the last wait for the data before the traffic moved. null = nothing moved, or nobody knows.
 */
export function actualLossMs(
  {
    from,
    to,
    lagMs,
  }: { readonly from: string; readonly to: string; readonly lagMs: number | null },
  steps: readonly LossStep[],
): number | null {
  const isMove = ({ kind, isUndo, state, isOpened }: LossStep) =>
    MOVES.has(kind) && !isUndo && isOpened && state !== 'skipped';
  const moved = steps.findIndex(isMove);
  if (moved === -1 || from === to) {
    return null;
  }
  const waited = steps
    .slice(0, moved)
    .findLast(
      ({ kind, isUndo, state }) => kind === 'wait-replication' && !isUndo && state === 'done',
    );
  return waited === undefined ? lagMs : lagIn(waited.evidence);
}

function lagIn(evidence: JsonValue): number | null {
  const members = typeof evidence === 'object' && evidence !== null ? Object.entries(evidence) : [];
  const [, lagMs] = members.find(([name]) => name === 'lagMs') ?? [];
  return typeof lagMs === 'number' ? lagMs : null;
}

export function lossStepOf({ action, isUndo, openedAt, progress }: Step): LossStep {
  return {
    kind: action.kind,
    isUndo,
    state: progress.kind,
    isOpened: openedAt !== null,
    evidence: progress.kind === 'done' ? progress.evidence : null,
  };
}

const MOVES: ReadonlySet<string> = new Set(['switch', 'weights', 'routing']);
