/**
 * Tells people what happened: the leading region sends, the log remembers how far.
 *
 * At least once: what was sent is written down after it was sent, and a region that takes over sends
 * again what may have been lost; the token of a notice is the same then, for receivers that care. A
 * receiver that does not answer is asked a few times, ever more rarely, and then given up: that too
 * is written down. Nothing waits for any of it.
 */
import type { Clock } from '../base/clock.ts';
import type { LogIndex } from '../base/identifiers.ts';
import type { LogEvent } from '../base/log.ts';
import type { NotifyPort } from '../recovery/action-ports.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { CommandResult, ControlCommand } from './commands.ts';
import { CONTROL_LIMITS } from './limits.ts';
import { type DueNotice, dueNotices } from './notices.ts';

export interface NotifierOptions {
  readonly clusterId: string;
  readonly port: NotifyPort;
  readonly state: () => RecoveryState;
  readonly isLeading: () => boolean;
  /** null = not known to be committed. */
  readonly propose: (command: ControlCommand) => Promise<CommandResult | null>;
  readonly clock: Clock;
  readonly log: LogEvent;
}

interface Attempts {
  readonly count: number;
  /** Monotonic instant of the next one. */
  readonly nextAt: number;
  readonly settled: 'sent' | 'given-up' | null;
}

const NONE: Attempts = { count: 0, nextAt: 0, settled: null };

export class Notifier {
  readonly #options: NotifierOptions;
  #isUnderWay = false;
  /** By target and token; forgotten once the log knows how far it is. */
  readonly #attempts = new Map<string, Attempts>();

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Sends what is due; at once while nothing is, or while another call does so. */
  async work(): Promise<void> {
    if (this.#isUnderWay || !this.#options.isLeading()) {
      return;
    }
    this.#isUnderWay = true;
    try {
      await this.#tell();
    } finally {
      this.#isUnderWay = false;
    }
  }

  async #tell(): Promise<void> {
    const { clock, clusterId } = this.#options;
    const due = dueNotices(this.#options.state(), { now: clock.wallNow(), clusterId });
    if (due.length === 0) {
      this.#attempts.clear();
      return;
    }
    await Promise.all(due.map((notice) => this.#send(notice)));
    const through = this.#settledThrough(due);
    if (through === null) {
      return;
    }
    const failed = due
      .filter((notice) => notice.index <= through && this.#of(notice).settled === 'given-up')
      .map(({ notice, index }) => `entry ${index}: ${notice.subject}`)
      .slice(0, CONTROL_LIMITS.noticesPerPassMax);
    const at = clock.wallNow();
    await this.#options.propose({ kind: 'notified', through: through as LogIndex, failed, at });
  }

  async #send(due: DueNotice): Promise<void> {
    const before = this.#of(due);
    const { port, clock, log } = this.#options;
    if (before.settled !== null || clock.monotonicNow() < before.nextAt) {
      return;
    }
    const outcome = await port.notify(due.target, due.notice, due.token);
    const count = before.count + 1;
    const isOver = outcome.kind === 'refused' || count >= CONTROL_LIMITS.noticeAttemptsMax;
    const settled = outcome.kind === 'done' ? 'sent' : isOver ? 'given-up' : null;
    const waitMs = CONTROL_LIMITS.noticeRetryMs * 2 ** (count - 1);
    this.#attempts.set(keyOf(due), { count, nextAt: clock.monotonicNow() + waitMs, settled });
    if (settled === 'given-up') {
      const cause =
        'code' in outcome ? outcome.code : 'cause' in outcome ? outcome.cause : 'unknown';
      log('error', 'notice-given-up', { subject: due.notice.subject, cause, attempts: count });
    }
  }

  /** The newest entry of which everything is settled, and of all before it; null = of none. */
  #settledThrough(due: readonly DueNotice[]): number | null {
    const open = due.find((notice) => this.#of(notice).settled === null);
    const settled = open === undefined ? due : due.filter(({ index }) => index < open.index);
    return settled.at(-1)?.index ?? null;
  }

  #of(due: DueNotice): Attempts {
    return this.#attempts.get(keyOf(due)) ?? NONE;
  }
}

function keyOf({ target, token }: DueNotice): string {
  return `${token} ${JSON.stringify(target)}`;
}
