/**
 * What a log of committed entries must have come to, worked out a second time: no code is shared
 * with the replicas, only the promise (docs/raft.md, "Exactly once by command id and basis").
 *
 * A command takes effect at its first place in the log, unless that place is more than the window
 * after its basis. Then it never does. A second effect of one call is a broken promise, whatever made it.
 */
import type { CommandId, LogIndex } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { Command, Entry } from '../consensus/server.ts';
import type { KeyValueCommand, KeyValueState } from './key-value-machine.ts';

export class CommandOracle {
  readonly #windowEntries: number;
  /** Where an id is remembered from; also one that came too late to take effect. */
  readonly #rememberedAt = new Map<CommandId, LogIndex>();
  readonly #effectiveAt = new Map<CommandId, LogIndex>();
  /** Ids of which some client made more than one call. */
  readonly #calledAgain = new Set<CommandId>();
  readonly #overrun = new Set<CommandId>();
  #state: KeyValueState = { count: 0, values: {} };
  #expired = 0;

  constructor(windowEntries: number) {
    this.#windowEntries = windowEntries;
  }

  /** Copies that came too late to take effect. */
  get expired(): number {
    return this.#expired;
  }

  calledAgain(id: CommandId): void {
    this.#calledAgain.add(id);
  }

  /** Whether a call came when its id was forgotten: it was a new command, as the docs say it would be. */
  isOverrun(id: CommandId): boolean {
    return this.#overrun.has(id);
  }

  get overruns(): number {
    return this.#overrun.size;
  }

  /** Takes the entries in order, each once; returns what the application is after it. */
  apply({ index, command }: Entry): KeyValueState {
    if (command === null || this.#isRemembered(command.id, index)) {
      return this.#state;
    }
    this.#rememberedAt.set(command.id, index);
    if (index - command.basis > this.#windowEntries) {
      this.#expired += 1;
      return this.#state;
    }
    this.#takeEffect(command, index);
    const { count, values } = this.#state;
    this.#state = { count: count + 1, values: after(values, command.body as KeyValueCommand) };
    return this.#state;
  }

  /**
   * A second effect is allowed to one thing only: another call, begun when the first effect was in
   * the log already, that got its place when the window after that was over.
   */
  #takeEffect({ id, basis }: Command, index: LogIndex): void {
    const first = this.#effectiveAt.get(id);
    if (first !== undefined) {
      const isNewCommand = this.#calledAgain.has(id) && basis >= first;
      invariant(isNewCommand, 'command-effective-twice', { id, first, index });
      this.#overrun.add(id);
    }
    this.#effectiveAt.set(id, index);
  }

  #isRemembered(id: CommandId, index: LogIndex): boolean {
    const since = this.#rememberedAt.get(id);
    return since !== undefined && index - since <= this.#windowEntries;
  }

  /** Lets go of what no client asks for any more, so that a long life needs no more than a short one. */
  forgetBelow(index: number): void {
    for (const [id, at] of this.#rememberedAt) {
      // All are looked at: an id that was remembered anew stands where it stood first.
      if (at < index) {
        this.#rememberedAt.delete(id);
        this.#effectiveAt.delete(id);
        this.#calledAgain.delete(id);
      }
    }
  }
}

function after(values: KeyValueState['values'], command: KeyValueCommand): KeyValueState['values'] {
  if (command.kind === 'write') {
    return { ...values, [command.key]: command.value };
  }
  return values[command.key] === command.from ? { ...values, [command.key]: command.to } : values;
}
