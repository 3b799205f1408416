/**
 * Commands on their way into the log: one queue, committed in batches, each caller told the truth.
 *
 * A round takes the oldest commands that fit into one batch and tries to commit them. Whoever is
 * done leaves; whoever's time is over leaves with what is known: `rejected` when no write of this
 * call can ever have taken effect, else `unknown`. All others go into the next round, together with
 * what came meanwhile, so that a batch in doubt holds nobody up. A command proposed again is
 * harmless: its id is known by then, and its basis never changes (`replica.ts`).
 *
 * While the registers can take no more writes (`flow-control.ts`) nothing is proposed: the queue grows
 * into larger batches, and whoever cannot wait so long leaves as `busy`.
 */
import { describeError } from '../base/errors.ts';
import type { CommandId, LogIndex, MonotonicMillis, Term } from '../base/identifiers.ts';
import type { JsonValue } from '../base/json.ts';
import type { Cluster } from './cluster.ts';
import type { Command } from './server.ts';
import { jsonBytes } from './size.ts';

export type ProposeOutcome =
  | {
      readonly kind: 'committed';
      readonly index: LogIndex;
      readonly term: Term;
      readonly result: JsonValue;
    }
  /** This call wrote nothing. An earlier call with the same id may have. */
  | {
      readonly kind: 'rejected';
      readonly code: Shortfall['code'] | 'too-large' | 'busy' | 'command-id-reused';
    }
  /** May be in the log, now or later. */
  | { readonly kind: 'unknown' };

/** Why a batch was not committed, or not yet. */
export interface Shortfall {
  /** `busy`: the store throttles. */
  readonly code: 'no-leader' | 'no-quorum' | 'log-full' | 'busy';
  /** Whether it may be in some register, now or later. */
  readonly isInDoubt: boolean;
}

/** The log, as the queue needs it. */
export interface ProposalLog {
  /** Milliseconds until a quorum of registers can take a batch of so many bytes; 0 = now. */
  readonly waitMs: (bytes: number) => number;
  /** Proposes and replicates; null = done as far as it could tell. */
  readonly commit: (batch: Batch) => Promise<Shortfall | null>;
  /** What became of a command; null = nothing that is known. */
  readonly outcomeOf: (id: CommandId, body: JsonValue) => ProposeOutcome | null;
}

export interface Batch {
  /** About what it adds to a register. */
  readonly bytes: number;
  readonly commandsAt: (basis: LogIndex) => readonly Command[];
}

interface Proposal {
  readonly id: CommandId;
  readonly body: JsonValue;
  readonly bytes: number;
  readonly deadline: MonotonicMillis;
  readonly settle: (outcome: ProposeOutcome) => void;
  /** Null until first proposed, then fixed: the window of its id begins here. */
  basis: LogIndex | null;
  isInDoubt: boolean;
}

/**
 * Half of the shortest pause before a batch is tried again. It doubles up to about a beat: what two
 * processes did to each other is over soon, and what lasts is not asked for without a pause.
 */
const RETRY_MS_MIN = 5;

/** Room for a command's basis and the JSON around it. */
const COMMAND_FRAME_BYTES = 64;

export class ProposalQueue {
  readonly #cluster: Cluster;
  readonly #log: ProposalLog;
  #waiting: readonly Proposal[] = [];
  #isPumping = false;
  #shortfallsInARow = 0;
  #failure: { readonly thrown: unknown } | null = null;

  constructor(cluster: Cluster, log: ProposalLog) {
    this.#cluster = cluster;
    this.#log = log;
  }

  /** What stopped the queue, if anything did: a bug, or a replica that cannot apply. */
  get failure(): { readonly thrown: unknown } | null {
    return this.#failure;
  }

  /** Never rejects. */
  propose(id: CommandId, body: JsonValue): Promise<ProposeOutcome> {
    const { clock, timings, limits } = this.#cluster;
    const bytes = jsonBytes(body);
    if (bytes > limits.commandBytesMax || this.#waiting.length >= limits.queuedCommandsMax) {
      const code = bytes > limits.commandBytesMax ? 'too-large' : 'busy';
      return Promise.resolve({ kind: 'rejected', code });
    }
    const deadline = (clock.monotonicNow() + timings.proposeTimeoutMs) as MonotonicMillis;
    return new Promise((settle) => {
      const proposal: Proposal = {
        id,
        // As every other region will read it: what JSON drops or changes must not live on here.
        body: JSON.parse(JSON.stringify(body)) as JsonValue,
        bytes: bytes + id.length + COMMAND_FRAME_BYTES,
        deadline,
        settle,
        basis: null,
        isInDoubt: false,
      };
      this.#waiting = [...this.#waiting, proposal];
      void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) {
      return;
    }
    this.#isPumping = true;
    try {
      while (this.#waiting.length > 0) {
        await this.#round();
      }
    } catch (thrown) {
      this.#failure = { thrown };
      this.#cluster.log('error', 'propose-failed', { cause: describeError(thrown) });
      this.#leave(() => ({ kind: 'unknown' }));
    } finally {
      this.#isPumping = false;
    }
  }

  async #round(): Promise<void> {
    const { clock, random, timings } = this.#cluster;
    const batch = this.#waiting.slice(0, this.#batchSize());
    const bytes = batch.reduce((sum, proposal) => sum + proposal.bytes, 0);
    const waitMs = this.#log.waitMs(bytes);
    if (waitMs > 0) {
      await this.#hold(waitMs);
      return;
    }
    const shortfall = await this.#log.commit({
      bytes,
      commandsAt: (basis) => batch.map((one) => commandOf(one, basis)),
    });
    for (const proposal of batch) {
      // Committed and yet without an outcome: it is in the log, and this replica did not get there.
      proposal.isInDoubt ||= shortfall?.isInDoubt ?? true;
    }
    this.#leave(({ id, body, basis }) => (basis === null ? null : this.#log.outcomeOf(id, body)));
    const code = shortfall?.code ?? 'no-quorum';
    const now = clock.monotonicNow();
    this.#leave((proposal) => (now >= proposal.deadline ? outcomeInTime(proposal, code) : null));
    this.#shortfallsInARow = shortfall === null ? 0 : this.#shortfallsInARow + 1;
    if (shortfall !== null && this.#waiting.length > 0) {
      const grownMs = RETRY_MS_MIN * 2 ** Math.min(this.#shortfallsInARow, 20);
      await clock.sleep(Math.min(timings.beatMs, grownMs) * (0.5 + random()));
    }
  }

  /**
   * Lets time pass until the registers can be written again; meanwhile the batch grows. Who cannot
   * wait that long leaves at once: nothing of his was written, unless an earlier round left doubt.
   */
  async #hold(waitMs: number): Promise<void> {
    const { clock } = this.#cluster;
    const now = clock.monotonicNow();
    this.#leave((proposal) => {
      const canWait = now + (proposal.isInDoubt ? 0 : waitMs) < proposal.deadline;
      return canWait ? null : outcomeInTime(proposal, 'busy');
    });
    const leftMs = this.#waiting.map(({ deadline }) => deadline - now);
    if (leftMs.length > 0) {
      await clock.sleep(Math.min(waitMs, ...leftMs));
    }
  }

  /** Settles those that have an outcome; the others wait on. */
  #leave(outcomeOf: (proposal: Proposal) => ProposeOutcome | null): void {
    this.#waiting = this.#waiting.filter((proposal) => {
      const outcome = outcomeOf(proposal);
      if (outcome !== null) {
        proposal.settle(outcome);
      }
      return outcome === null;
    });
  }

  /** At least one, at most what one batch may hold. */
  #batchSize(): number {
    const { batchCommandsMax, batchBytesMax } = this.#cluster.limits;
    let bytes = 0;
    let size = 0;
    for (const proposal of this.#waiting.slice(0, batchCommandsMax)) {
      bytes += proposal.bytes;
      if (size > 0 && bytes > batchBytesMax) {
        break;
      }
      size += 1;
    }
    return size;
  }
}

/** Its basis is fixed by the first try: an index that lies below any copy of it. */
function commandOf(proposal: Proposal, basis: LogIndex): Command {
  proposal.basis ??= basis;
  return { id: proposal.id, basis: proposal.basis, body: proposal.body };
}

function outcomeInTime({ isInDoubt }: Proposal, code: Shortfall['code']): ProposeOutcome {
  return isInDoubt ? { kind: 'unknown' } : { kind: 'rejected', code };
}
