/**
 * The simulated application: a ledger that counts the commands it applied, and knows a repetition
 * when it sees one.
 */
import type { CommandId } from '../base/identifiers.ts';
import type { StateMachine } from '../consensus/replica.ts';

export interface Ledger {
  /** How many commands were applied. */
  readonly count: number;
  /** The latest ones, oldest first. */
  readonly latest: readonly CommandId[];
  /** Commands that were applied a second time. Exactly once means: always 0. */
  readonly repeats: number;
}

const LATEST_MAX = 300;

export const LEDGER_MACHINE: StateMachine<Ledger> = {
  initial: { count: 0, latest: [], repeats: 0 },
  apply: (state, command) => {
    const count = state.count + 1;
    const latest = [...state.latest, command.id].slice(-LATEST_MAX);
    const repeats = state.repeats + (state.latest.includes(command.id) ? 1 : 0);
    return { state: { count, latest, repeats }, result: { kind: 'accepted', count } };
  },
};
