/**
 * What whoever leads does between failures, so that the next one goes well: it looks at the plans of
 * every service, and begins the drills of the calendar.
 */
import type { CommandId, MonotonicMillis } from '../base/identifiers.ts';
import type { ControlCommand } from './commands.ts';
import { dueDrills } from './drills.ts';
import { ReadinessWatch, type ReadinessWatchOptions } from './readiness.ts';

export interface UpkeepOptions extends ReadinessWatchOptions {
  /** Under an id that every region would give the same command. */
  readonly proposeAs: (id: CommandId, command: ControlCommand) => Promise<unknown>;
}

/** After this a drill whose proposal was lost is proposed again: under its id, that is no second one. */
const PROPOSE_AGAIN_MS = 10_000;

/** Guards what was proposed already. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #watch: ReadinessWatch;
  readonly #proposedAt = new Map<CommandId, MonotonicMillis>();

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#watch = new ReadinessWatch(options);
  }

  async round(): Promise<void> {
    this.#beginDrills();
    await this.#watch.round();
  }

  /** Not awaited: a proposal waits for the other regions, and the look at the plans does not. */
  #beginDrills(): void {
    const { isLeading, state, clock, proposeAs } = this.#options;
    const due = isLeading() ? dueDrills(state(), clock.wallNow()) : [];
    const now = clock.monotonicNow();
    for (const { id, command } of due) {
      const last = this.#proposedAt.get(id);
      if (last === undefined || now - last >= PROPOSE_AGAIN_MS) {
        this.#proposedAt.set(id, now);
        void proposeAs(id, command);
      }
    }
    for (const id of this.#proposedAt.keys()) {
      if (!due.some((drill) => drill.id === id)) {
        this.#proposedAt.delete(id);
      }
    }
  }
}
