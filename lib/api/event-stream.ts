/**
 * Server-sent events: one small event when something changed, and one at least every interval.
 *
 * An event says *that* there is something new and where the log stands, never what: the reader
 * fetches what it shows, so a lost event costs nothing. The stream is pulled: nothing is computed
 * or queued for a reader that does not read, and any number of changes between two reads is one
 * event. Nothing is subscribed before the first read, and everything ends with the stream.
 */
import type { Clock } from '../base/clock.ts';
import type { ControlPlane } from '../control/control-plane.ts';
import type { EventSettings } from './dependencies.ts';
import { rfc3339 } from './present-parts.ts';

/** How long a browser waits before it connects again, milliseconds. */
const RETRY_MS = 2000;

export interface EventStreams {
  /** null when as many streams are open as may be. The stream also ends when `signal` aborts. */
  readonly open: (signal: AbortSignal) => ReadableStream<Uint8Array> | null;
  readonly openCount: () => number;
}

interface Source {
  readonly plane: Pick<ControlPlane, 'status' | 'onChange'>;
  readonly clock: Clock;
  readonly settings: EventSettings;
}

export function createEventStreams(source: Source): EventStreams {
  const open = new Set<object>();
  return {
    open: (signal) => {
      if (open.size >= source.settings.streamsMax) {
        return null;
      }
      const ticket = {};
      open.add(ticket);
      return createStream(source, signal, () => open.delete(ticket));
    },
    openCount: () => open.size,
  };
}

function createStream(
  source: Source,
  signal: AbortSignal,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const { plane, clock, settings } = source;
  const openedAt = clock.monotonicNow();
  const changes = createChangeSignal(source);
  const encoder = new TextEncoder();
  let phase: 'fresh' | 'open' | 'ended' = 'fresh';
  let isCancelled = false;
  const end = () => {
    phase = 'ended';
    signal.removeEventListener('abort', end);
    changes.stop();
    onEnd();
  };
  const isOver = () => signal.aborted || clock.monotonicNow() - openedAt >= settings.durationMsMax;
  signal.addEventListener('abort', end);
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    if (phase === 'fresh' && !signal.aborted) {
      phase = 'open';
      changes.start();
      controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n${describe(plane)}`));
      return;
    }
    await (isOver() ? undefined : changes.next());
    if (isCancelled) {
      return;
    }
    if (phase === 'ended' || isOver()) {
      controller.close();
      end();
      return;
    }
    controller.enqueue(encoder.encode(describe(plane)));
  };
  const cancel = () => {
    isCancelled = true;
    end();
  };
  // Nothing is pulled before somebody reads: a HEAD request or a lost client costs nothing.
  return new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 });
}

interface ChangeSignal {
  /** From now on no change is missed. */
  readonly start: () => void;
  /** Resolves at the next change since the last call, after the interval, or when stopped. */
  readonly next: () => Promise<void>;
  readonly stop: () => void;
}

function createChangeSignal({ plane, clock, settings }: Source): ChangeSignal {
  let waiting = Promise.withResolvers<void>();
  let tick: Promise<void> | null = null;
  let unsubscribe: () => void = () => undefined;
  return {
    start: () => {
      unsubscribe = plane.onChange(() => waiting.resolve());
    },
    next: async () => {
      // One timer at a time, however many changes come before it rings.
      tick ??= clock.sleep(settings.intervalMs).then(() => {
        tick = null;
      });
      await Promise.race([waiting.promise, tick]);
      waiting = Promise.withResolvers<void>();
    },
    stop: () => {
      unsubscribe();
      waiting.resolve();
    },
  };
}

function describe(plane: Source['plane']): string {
  const { region, at, position } = plane.status();
  const { appliedIndex, term, leader, quorum } = position;
  const data = { region, at: rfc3339(at), appliedIndex, term, leader, quorum };
  return `event: status\nid: ${appliedIndex}\ndata: ${JSON.stringify(data)}\n\n`;
}
