/**
 * One switch, carried through: read, plan, change, and after any doubt read again.
 *
 * ```
 * read fence, then records ─▶ planSwitch ─▶ change ─▶ applied: done
 *       ▲                        │ already-done, stale, refused: end
 *       └── conflict (at once), busy or unknown (after a wait) ──┘   at most attemptsMax reads
 * ```
 * Repeating is safe because each attempt is fenced: an earlier attempt whose answer was lost either
 * shows up in the next read as our own fence, or will fail as a whole when it arrives late.
 * The fence is read before the records. So a fence of ours beside records that are not ours means
 * that someone changed them, or that a newer switch fell between the two reads; the second case is
 * told apart by reading once more.
 */
import type { Clock, Random } from '../base/clock.ts';
import type { Fence } from './fence.ts';
import { SWITCH_LIMITS } from './switch-limits.ts';
import { planSwitch, type SwitchIntent, type SwitchPlan, switchNames } from './switch-plan.ts';
import type { Change, SwitchPort } from './switch-port.ts';
import { sharesText } from './traffic.ts';

export type SwitchOutcome =
  /** The records stand as intended under our fence. Nothing was changed when `batch` is empty. */
  | {
      readonly kind: 'done';
      /** For `changeStatus`; null when an earlier attempt made the change, or none was needed. */
      readonly changeId: string | null;
      readonly batch: readonly Change[];
    }
  /** A newer switch stands. Final: this epoch may never be applied again. */
  | { readonly kind: 'stale'; readonly standing: Fence }
  /** Nothing was changed, and a repeat would be refused until a person changes something. */
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string }
  /** It may or may not be applied, now or later. The same intent may be tried again. */
  | { readonly kind: 'unknown'; readonly cause: string };

export interface SwitchSurroundings {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly random: Random;
}

export type SwitchPreview =
  | SwitchPlan
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string }
  | { readonly kind: 'unknown'; readonly cause: string };

/** What `switchOnce` would do now, without doing it. */
export async function previewSwitch(
  port: Pick<SwitchPort, 'read' | 'sharing'>,
  intent: SwitchIntent,
): Promise<SwitchPreview> {
  const reading = await port.read(switchNames(intent.dnsName));
  return reading.kind === 'read' ? planSwitch(intent, reading, port.sharing) : reading;
}

/**
 * Moves the name to the intent's targets, or says why not. At most `SWITCH_LIMITS.attemptsMax`
 * reads and as many changes; waits only between them. Idempotent for the same intent.
 */
export async function switchOnce(
  port: SwitchPort,
  intent: SwitchIntent,
  { clock, random }: SwitchSurroundings,
): Promise<SwitchOutcome> {
  let last: Retry = retry('conflict', 'not tried');
  let inDoubt: string | null = null;
  for (let attempt = 0; attempt < SWITCH_LIMITS.attemptsMax; attempt += 1) {
    if (last.after === 'busy' || last.after === 'lost') {
      await clock.sleep(backoffMs(attempt, random));
    }
    const step: Retry | SwitchOutcome = await tryOnce(port, intent, last);
    if (step.kind !== 'retry') {
      return step.kind === 'refused' && inDoubt !== null ? doubted(step, inDoubt) : step;
    }
    inDoubt = step.after === 'lost' ? step.cause : inDoubt;
    last = step;
  }
  return { kind: 'unknown', cause: `${SWITCH_LIMITS.attemptsMax} attempts: ${last.cause}` };
}

/** A refusal says that nothing was changed; after a lost answer nobody can say that. */
function doubted(
  { code, detail }: { readonly code: string; readonly detail: string },
  lost: string,
): SwitchOutcome {
  return { kind: 'unknown', cause: `${lost}; then ${code}: ${detail}` };
}

interface Retry {
  readonly kind: 'retry';
  readonly cause: string;
  /**
   * - `conflict`: the zone has moved on; read again at once.
   * - `torn`: the records did not fit our own fence; if the next read says so too, it is true.
   * - `busy`: nothing happened; give the zone time.
   * - `lost`: the change may have happened; give it time to show.
   */
  readonly after: 'conflict' | 'torn' | 'busy' | 'lost';
}

async function tryOnce(
  port: SwitchPort,
  intent: SwitchIntent,
  last: Retry,
): Promise<Retry | SwitchOutcome> {
  const reading = await port.read(switchNames(intent.dnsName));
  if (reading.kind !== 'read') {
    return reading.kind === 'refused' ? reading : retry('busy', `read: ${reading.cause}`);
  }
  const plan = planSwitch(intent, reading, port.sharing);
  switch (plan.kind) {
    case 'already-done':
      return { kind: 'done', changeId: null, batch: [] };
    case 'stale':
      return plan;
    case 'refused':
      return plan.code === 'changed-outside' && last.after !== 'torn'
        ? retry('torn', plan.detail)
        : plan;
    case 'change':
      return send(port, intent, plan.batch);
  }
}

async function send(
  port: SwitchPort,
  { run, targets, epoch }: SwitchIntent,
  batch: readonly Change[],
): Promise<Retry | SwitchOutcome> {
  const shares = Object.fromEntries(targets.map(({ site, weight }) => [site, weight]));
  const comment = `tripoint: ${run} to ${sharesText(shares)} (term ${epoch.term}, index ${epoch.index})`;
  const outcome = await port.change(batch, comment);
  switch (outcome.kind) {
    case 'applied':
      return { kind: 'done', changeId: outcome.changeId, batch };
    case 'refused':
      return outcome;
    case 'conflict':
      return retry('conflict', outcome.detail);
    case 'busy':
      return retry('busy', `busy: ${outcome.detail}`);
    case 'unknown':
      return retry('lost', `answer lost: ${outcome.cause}`);
  }
}

function retry(after: Retry['after'], cause: string): Retry {
  return { kind: 'retry', cause, after };
}

/** Doubling with full jitter above the minimum, so that workers that met once do not meet again. */
function backoffMs(attempt: number, random: Random): number {
  const { backoffMsMin, backoffMsMax } = SWITCH_LIMITS;
  const ceiling = Math.min(backoffMsMax, backoffMsMin * 2 ** attempt);
  return backoffMsMin + random() * (ceiling - backoffMsMin);
}
