/**
 * The simulated application: registers with names (keys), written, and compared and set.
 *
 * Small on purpose: a client's answer says all about what its command met, so that a history of
 * answers can be judged by whoever knows nothing of logs (`linearizability.ts`). It counts what it
 * applied; a command that took effect twice would count twice.
 */
import type { JsonValue } from '../base/json.ts';
import type { StateMachine } from '../consensus/replica.ts';
import type { RegisterOperation } from './history.ts';

export interface KeyValueState {
  /** How many commands took effect. */
  readonly count: number;
  readonly values: { readonly [key: string]: string };
}

/** What a client sends; reads are not commands. */
export type KeyValueCommand = Exclude<RegisterOperation, { kind: 'read' }> & {
  /** Makes the command as large as somebody wants. */
  readonly padding?: string;
};

export const KEY_VALUE_MACHINE: StateMachine<KeyValueState> = {
  initial: { count: 0, values: {} },
  apply: ({ count, values }, { body }) => {
    const command = body as KeyValueCommand;
    const isWritten = command.kind === 'write' || values[command.key] === command.from;
    const value = command.kind === 'write' ? command.value : command.to;
    return {
      state: {
        count: count + 1,
        values: isWritten ? { ...values, [command.key]: value } : values,
      },
      result: { kind: 'accepted', isWritten },
    };
  },
};

/** Whether a committed command wrote: always, unless it is a `cas` that found another value. */
export function wrote(result: JsonValue): boolean {
  return typeof result === 'object' && result !== null && 'isWritten' in result
    ? result['isWritten'] === true
    : false;
}
