/**
 * Is this history linearizable? Each operation on a register must seem to take effect at one instant
 * between its call and its answer (Herlihy and Wing, 1990). Registers with different keys know nothing
 * of each other, and linearizability is local: each key is judged alone, which keeps the search small.
 *
 * The answer has three values. `unknown` says that the search ran out of steps; deciding in general is
 * NP-complete, so that some history will always take too long, and a checker that guesses is worse than
 * none.
 *
 * `illegal` is explained by the smallest part of the history that is illegal already: a history is
 * linearizable only if every beginning of it is, so the first answer that nobody can explain is found
 * by bisection.
 */
import { invariant } from '../base/invariant.ts';
import type { HistoryOperation } from './history.ts';
import { searchLinearization } from './linearization-search.ts';
import { intervalsOf } from './register-intervals.ts';

/** About a second, and at most some hundred MB of configurations. */
const STEPS_MAX_DEFAULT = 8_000_000;
/** How many answers before the one that cannot be explained are told. */
const ANSWERS_TOLD = 8;

export type Linearizability =
  | { readonly kind: 'ok'; readonly keys: number; readonly steps: number }
  | ({ readonly kind: 'illegal'; readonly steps: number } & Violation)
  /** Nothing illegal was found, and these keys were not judged to the end. */
  | { readonly kind: 'unknown'; readonly unjudged: readonly string[]; readonly steps: number };

export interface Violation {
  readonly key: string;
  /** The answer that cannot be explained. */
  readonly stuck: HistoryOperation;
  /** How many operations on the key were answered by then, this one included. */
  readonly answered: number;
  /** The answers just before it, oldest first. */
  readonly before: readonly HistoryOperation[];
  /**
   * What the register holds after some order that explains all but it; null = never written. Absent
   * when finding such an order took too long: then a smaller part may be illegal already.
   */
  readonly holds?: string | null;
  /** The same for people. */
  readonly sentence: string;
}

export interface CheckOptions {
  /** For each key. */
  readonly stepsMax?: number;
}

export function checkLinearizability(
  history: readonly HistoryOperation[],
  { stepsMax = STEPS_MAX_DEFAULT }: CheckOptions = {},
): Linearizability {
  const byKey = Map.groupBy(history, ({ op }) => op.key);
  const unjudged: string[] = [];
  let steps = 0;
  for (const [key, operations] of byKey) {
    const judgement = judge(operations, stepsMax);
    steps += judgement.steps;
    if (judgement.kind === 'illegal') {
      return { kind: 'illegal', steps, ...explained(key, operations, stepsMax) };
    }
    if (judgement.kind === 'unknown') {
      unjudged.push(key);
    }
  }
  return unjudged.length > 0
    ? { kind: 'unknown', unjudged, steps }
    : { kind: 'ok', keys: byKey.size, steps };
}

interface Judgement {
  readonly kind: 'ok' | 'illegal' | 'unknown';
  readonly steps: number;
  /** If ok: what the register holds in the end. */
  readonly holds: string | null;
}

function judge(operations: readonly HistoryOperation[], stepsMax: number): Judgement {
  const register = intervalsOf(operations);
  const { kind, steps, value } = searchLinearization(register, stepsMax);
  return { kind, steps, holds: register.values[value] ?? null };
}

/**
 * Bisection over the answers by time. A beginning that takes too long to judge counts as legal: what is
 * found is illegal all the same, and perhaps not the smallest.
 *
 * @param operations of one key, illegal as a whole.
 */
function explained(
  key: string,
  operations: readonly HistoryOperation[],
  stepsMax: number,
): Violation {
  const answers = operations
    .filter(({ outcome }) => outcome === 'ok')
    .toSorted((left, right) => left.complete - right.complete);
  let legal: Pick<Violation, 'answered' | 'holds'> = { answered: 0, holds: null };
  let answered = answers.length;
  while (answered - legal.answered > 1) {
    const middle = Math.floor((legal.answered + answered) / 2);
    const { kind, holds } = judge(beginning(operations, answers.slice(0, middle)), stepsMax);
    if (kind === 'illegal') {
      answered = middle;
    } else {
      legal = { answered: middle, ...(kind === 'ok' ? { holds } : {}) };
    }
  }
  const stuck = answers[answered - 1];
  invariant(stuck !== undefined, 'illegal-without-answers', { key });
  const before = answers.slice(Math.max(0, answered - 1 - ANSWERS_TOLD), answered - 1);
  return withSentence({ ...legal, key, stuck, answered, before });
}

/** The history as it stood when the last of these answers came: what was not answered yet is open. */
function beginning(
  operations: readonly HistoryOperation[],
  answers: readonly HistoryOperation[],
): readonly HistoryOperation[] {
  const answered = new Set(answers);
  const until = answers.at(-1)?.complete ?? 0;
  return operations
    .filter(({ invoke, outcome }) => invoke <= until && outcome !== 'fail')
    .map((operation) =>
      answered.has(operation) ? operation : { ...operation, outcome: 'unknown' as const },
    );
}

function withSentence(violation: Omit<Violation, 'sentence'>): Violation {
  const { key, stuck, answered, holds } = violation;
  const witness =
    holds === undefined
      ? ''
      : `; without the last of them one does, and leaves ${holds === null ? 'nothing' : JSON.stringify(holds)} in the register`;
  const sentence =
    `key ${key}: no order explains the first ${answered} answers, up to client ${stuck.client}, who ` +
    `${described(stuck)} between ${stuck.invoke} and ${stuck.complete} us${witness}`;
  return { ...violation, sentence };
}

function described({ op, result }: HistoryOperation): string {
  switch (op.kind) {
    case 'write':
      return `wrote ${JSON.stringify(op.value)}`;
    case 'read':
      return `read ${typeof result === 'string' ? JSON.stringify(result) : 'nothing'}`;
    case 'cas':
      return result === false
        ? `did not find ${JSON.stringify(op.from)}`
        : `replaced ${JSON.stringify(op.from)} by ${JSON.stringify(op.to)}`;
  }
}
