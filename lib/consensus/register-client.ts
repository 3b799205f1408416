/**
 * Lends a register its CPU: read, `step`, compare-and-set, until an answer counts.
 *
 * In the steady state the cached copy is stepped and written at once, without a read; a conflict
 * brings the current copy back. A reply that needed no write counts only from a strongly consistent
 * copy, never from the cache: the cache may be older than the answer it would give.
 *
 *     caller A: step(copy r7) ──▶ write r8 ──▶ applied
 *     caller B: step(copy r7) ──▶ write r8 ──▶ conflict(copy r8) ──▶ step(r8) ──▶ write r9 ──▶ applied
 *
 * Calls to one register are serialised within this process, so that its own threads of work do not
 * conflict with each other; between processes the compare-and-set decides.
 */
import { AppError, describeError } from '../base/errors.ts';
import type { LogIndex, RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { LogEvent } from '../base/log.ts';
import type { Message, Reply } from './messages.ts';
import { requireNotRolledBack, type Seen } from './register-guard.ts';
import type { Beat, BeatRead, Copy, RegisterPort } from './register-port.ts';
import { type Base, checkServer, type Server } from './server.ts';
import { LOG_LIMITS } from './settings.ts';
import { registerBytes, writeUnits } from './size.ts';
import { type StepResult, step } from './step.ts';

export type Exchange =
  /** The reply holds, and `server` is persisted. A `no` says that this exchange changed nothing. */
  | { readonly kind: 'answered'; readonly reply: Reply; readonly server: Server }
  /** Certainly without effect. */
  | { readonly kind: 'refused'; readonly code: string; readonly cause: string }
  /** Perhaps in effect, perhaps later. Repeating the message is safe. */
  | { readonly kind: 'unknown'; readonly cause: string };

/** The message for the register as it stands; null = nothing to ask of it. */
export type MessageFor = (server: Server) => Message | null;

export class RegisterClient {
  readonly region: RegionId;
  readonly #port: RegisterPort;
  readonly #log: LogEvent;
  #copy: Copy | null = null;
  /** The latest that this process saw; the register may never be older again. */
  #seen: Seen | null = null;
  #spentUnits = 0;
  #throttledInARow = 0;
  #isReachable = false;
  #isHalted = false;
  #isAbsenceReported = false;
  #tail: Promise<unknown> = Promise.resolve();
  #nextRefresh: Promise<Server | null> | null = null;

  constructor(port: RegisterPort, log: LogEvent) {
    this.region = port.region;
    this.#port = port;
    this.#log = log;
  }

  /** The latest copy that this process saw; may be old. */
  get cached(): Server | null {
    return this.#copy?.server ?? null;
  }

  /** Whether the last contact got an answer. */
  get isReachable(): boolean {
    return this.#isReachable;
  }

  /** Write units spent on this register since this process looks, by whatever process (`write-budget.ts`). */
  get spentUnits(): number {
    return this.#spentUnits;
  }

  /** How many of this process's latest writes the store throttled, without one between that it took. */
  get throttledInARow(): number {
    return this.#throttledInARow;
  }

  /** Sends one message, as often as it takes to know the outcome, within a bound. */
  exchange(messageFor: MessageFor): Promise<Exchange> {
    const effort: Effort = { isFresh: false, isInDoubt: false };
    return this.#serialised(() =>
      this.#guarded(
        () => this.#attempt(messageFor, effort),
        () => withoutAnswer(effort, 'halted', HALTED),
      ),
    );
  }

  /**
   * Strongly consistent, read within this call; null when the register does not answer. Callers that
   * wait for their turn share one read, so that a register that is slow keeps no queue of them.
   */
  refresh(): Promise<Server | null> {
    this.#nextRefresh ??= this.#serialised(async () => {
      this.#nextRefresh = null;
      const cause = await this.#guarded(
        () => this.#read(),
        () => HALTED,
      );
      return cause === null ? this.cached : null;
    });
    return this.#nextRefresh;
  }

  /** This register's beat; an answer of any kind counts as contact. */
  async readBeat(): Promise<BeatRead> {
    const outcome = await this.#guarded<BeatRead>(
      () => this.#port.readBeat(),
      () => ({ kind: 'unreachable', cause: HALTED }),
    );
    this.#isReachable = outcome.kind !== 'unreachable';
    return outcome;
  }

  /**
   * False when it was not kept: there was no answer, or a later leader's beat stands there. Either
   * way nothing is known of this register until it is read again, and a leader must look before it
   * goes on beating elsewhere.
   */
  async writeBeat(beat: Beat): Promise<boolean> {
    const isKept = await this.#guarded(
      () => this.#port.writeBeat(beat),
      () => false,
    );
    this.#isReachable &&= isKept;
    return isKept;
  }

  /** The snapshot at `base`; null when there is none, or none that can be trusted. */
  readSnapshot(base: Base): Promise<string | null> {
    return this.#guarded(
      () => this.#port.readSnapshot(base),
      () => null,
    );
  }

  /** False when it is not known to be stored. */
  writeSnapshot(base: Base, text: string): Promise<boolean> {
    return this.#guarded(
      () => this.#port.writeSnapshot(base, text),
      () => false,
    );
  }

  /** Best effort. */
  dropSnapshotsBelow(index: LogIndex): Promise<void> {
    return this.#guarded(
      () => this.#port.dropSnapshotsBelow(index),
      () => undefined,
    );
  }

  #serialised<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /**
   * A register that lies (gone, another cluster's, inconsistent) is treated as lost, for good and
   * loudly: the other two may go on, which is safe, and an operator has something to repair.
   */
  async #guarded<Value>(work: () => Promise<Value>, otherwise: () => Value): Promise<Value> {
    if (this.#isHalted && !(await this.#isReplaced())) {
      return otherwise();
    }
    this.#isHalted = false;
    try {
      return await work();
    } catch (thrown) {
      this.#isHalted = true;
      this.#isReachable = false;
      this.#copy = null;
      this.#log('error', 'register-halted', { region: this.region, cause: describeError(thrown) });
      return otherwise();
    }
  }

  /** Whether another table has taken the place of the one that was halted (`membership-change.ts`). */
  async #isReplaced(): Promise<boolean> {
    const halted = this.#seen;
    if (halted === null) {
      return false;
    }
    // What the port throws about a register that lies was logged when that was halted.
    const read = await this.#port.read().catch(() => null);
    if (read?.kind !== 'found') {
      return false;
    }
    const { incarnation } = read.copy.server.identity;
    if (incarnation > halted.incarnation) {
      this.#log('info', 'register-replaced', { region: this.region, incarnation });
    }
    return incarnation > halted.incarnation;
  }

  async #attempt(messageFor: MessageFor, effort: Effort): Promise<Exchange> {
    for (let attempts = 0; attempts < LOG_LIMITS.exchangeAttemptsMax; attempts += 1) {
      if (this.#copy === null) {
        const cause = await this.#read();
        if (cause !== null) {
          return withoutAnswer(effort, 'unreachable', cause);
        }
        effort.isFresh = true;
      }
      const answer = await this.#stepAndWrite(messageFor, effort);
      if (answer !== null) {
        return answer;
      }
    }
    return { kind: 'unknown', cause: `no answer after ${LOG_LIMITS.exchangeAttemptsMax} attempts` };
  }

  /** Takes a fresh copy. Returns null, or why there is none. */
  async #read(): Promise<string | null> {
    const outcome = await this.#port.read();
    this.#isReachable = outcome.kind === 'found';
    switch (outcome.kind) {
      case 'found':
        this.#keep(outcome.copy);
        return null;
      case 'absent':
        return this.#absent();
      default:
        return outcome.cause;
    }
  }

  #keep(copy: Copy): void {
    if (this.#seen !== null) {
      requireNotRolledBack(this.#seen, copy);
    }
    checkServer(copy.server);
    this.#spentUnits += this.#unitsUntil(copy);
    this.#seen = { revision: copy.revision, incarnation: copy.server.identity.incarnation };
    this.#copy = copy;
  }

  /**
   * Each revision since the last one seen was a write, by whomever, of an item about as large as
   * these: the store charges the larger one of before and after.
   */
  #unitsUntil({ revision, server }: Copy): number {
    const isFirstSight = this.#seen?.incarnation !== server.identity.incarnation;
    const writes = isFirstSight ? 0 : revision - (this.#seen?.revision ?? revision);
    return writes === 0 ? 0 : writes * this.#unitsOfWrite(server);
  }

  #unitsOfWrite(server: Server): number {
    const before = this.#copy === null ? 0 : registerBytes(this.#copy.server);
    return writeUnits(Math.max(before, registerBytes(server)));
  }

  /**
   * A register that this process has seen and that is gone has forgotten its votes: going on could
   * elect two leaders. One that it never saw may be about to be made: it says so once, and looks on.
   */
  #absent(): string {
    const error = new AppError(`the register of ${this.region} does not exist`, {
      code: 'register-absent',
      hint: 'First deployment: run `tripoint bootstrap`. Lost table: run `tripoint region replace`.',
      retryable: false,
    });
    if (this.#seen !== null) {
      throw error;
    }
    if (!this.#isAbsenceReported) {
      this.#isAbsenceReported = true;
      this.#log('error', error.code, { region: this.region, cause: error.hint });
    }
    return error.message;
  }

  /** One step of the copy at hand; null = look again. */
  async #stepAndWrite(messageFor: MessageFor, effort: Effort): Promise<Exchange | null> {
    const before = this.#copy;
    invariant(before !== null, 'step-without-copy');
    const message = messageFor(before.server);
    const { server, reply } =
      message === null ? unasked(before.server) : step(before.server, message);
    if (server !== before.server) {
      return this.#write(before, { server, reply }, effort);
    }
    if (!effort.isFresh) {
      this.#copy = null;
      return null;
    }
    // An earlier write of this exchange may stand below what made the register refuse.
    return reply.kind === 'no' && effort.isInDoubt
      ? { kind: 'unknown', cause: reply.reason }
      : { kind: 'answered', reply, server };
  }

  /**
   * A conflict leaves doubt too: a store may repeat a request by itself, and then refuses its own
   * repetition (`lib/simulation/network.ts` does the same).
   */
  async #write(before: Copy, after: StepResult, effort: Effort): Promise<Exchange | null> {
    const wasInDoubt = effort.isInDoubt;
    effort.isInDoubt = true;
    const write = await this.#port.compareAndSet(before.revision, after.server);
    this.#throttledInARow =
      write.kind === 'refused' && write.code === 'throttled' ? this.#throttledInARow + 1 : 0;
    this.#isReachable = write.kind === 'applied' || write.kind === 'conflict';
    switch (write.kind) {
      case 'applied':
        this.#keep({ revision: before.revision + 1, server: after.server });
        return { kind: 'answered', ...after };
      case 'conflict':
        // A condition that fails is charged like a write that is made.
        this.#spentUnits += this.#unitsOfWrite(after.server);
        if (write.copy === null) {
          this.#absent();
        } else {
          this.#keep(write.copy);
        }
        effort.isFresh = true;
        return null;
      case 'refused':
        effort.isInDoubt = wasInDoubt;
        this.#isReachable = write.code !== 'unreachable';
        return withoutAnswer(effort, write.code, write.cause);
      default:
        this.#copy = null;
        return null;
    }
  }
}

interface Effort {
  /** Whether the copy at hand came from the store within this exchange. */
  isFresh: boolean;
  /** Whether an earlier write of this exchange may have been applied. */
  isInDoubt: boolean;
}

function unasked(server: Server): StepResult {
  return { server, reply: { kind: 'yes' } };
}

function withoutAnswer({ isInDoubt }: Effort, code: string, cause: string): Exchange {
  return isInDoubt ? { kind: 'unknown', cause } : { kind: 'refused', code, cause };
}

const HALTED = 'this register is halted';
