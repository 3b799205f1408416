/**
 * The children of one supervisor by name: which run, which are down, and how each ended.
 *
 * Guards the processes: nothing else spawns or signals them, and each name has at most one process
 * at any time, also when two requests to start it arrive together.
 */
import { AppError } from '../base/errors.ts';
import type { LogEvent } from '../base/log.ts';
import { type Child, type ChildExit, type ChildPlan, spawnChild } from './child.ts';
import type { ChildFailure } from './child-messages.ts';

export interface ProcessView {
  readonly name: string;
  readonly kind: ChildPlan['kind'];
  readonly state: 'starting' | 'running' | 'down';
  readonly pid: number | null;
  /** How the last process of this name ended; null while one runs, and before the first. */
  readonly exit: ChildExit | null;
}

export type KillOutcome =
  | { readonly kind: 'killed'; readonly pid: number }
  | { readonly kind: 'not-running' }
  | { readonly kind: 'unknown-process'; readonly known: readonly string[] };

export type StartOutcome =
  | { readonly kind: 'started'; readonly pid: number; readonly elapsedMs: number }
  | { readonly kind: 'already-running'; readonly pid: number }
  | { readonly kind: 'unknown-process'; readonly known: readonly string[] }
  | ({ readonly kind: 'failed' } & ChildFailure);

/** What a person who watches wants to hear of at once. */
export type ProcessEvent =
  | { readonly kind: 'ready'; readonly name: string; readonly pid: number }
  | { readonly kind: 'ended'; readonly name: string; readonly exit: ChildExit };

export function describeProcessEvent(event: ProcessEvent): string {
  if (event.kind === 'ready') {
    return `process ${event.name} is up (pid ${event.pid})`;
  }
  const { code, signal } = event.exit;
  return `process ${event.name} ended (${signal ?? `exit code ${code}`})`;
}

interface Slot {
  readonly plan: ChildPlan;
  readonly child: Child | null;
  readonly isReady: boolean;
  readonly exit: ChildExit | null;
}

interface ProcessTableOptions {
  readonly log: LogEvent;
  readonly onEvent: (event: ProcessEvent) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export class ProcessTable {
  readonly #options: ProcessTableOptions;
  readonly #slots = new Map<string, Slot>();

  constructor(options: ProcessTableOptions) {
    this.#options = options;
  }

  /** Says what these names run when they are spawned next. A process that runs is left alone. */
  plan(plans: readonly ChildPlan[]): void {
    for (const plan of plans) {
      const slot = this.#slots.get(plan.name);
      this.#slots.set(plan.name, { child: null, isReady: false, exit: null, ...slot, plan });
    }
  }

  list(): readonly ProcessView[] {
    return [...this.#slots.values()].map(({ plan, child, isReady, exit }) => ({
      name: plan.name,
      kind: plan.kind,
      state: child === null ? 'down' : isReady ? 'running' : 'starting',
      pid: child?.pid ?? null,
      exit,
    }));
  }

  /** Spawns every process that is down; none has begun its work yet when this returns. */
  spawnAll(): ReadonlyMap<string, Child> {
    const spawned = new Map<string, Child>();
    for (const [name, slot] of this.#slots) {
      if (slot.child === null) {
        spawned.set(name, this.#spawn(slot));
      }
    }
    return spawned;
  }

  /** Spawns one process and waits until it does its work. */
  async start(name: string): Promise<StartOutcome> {
    const slot = this.#slots.get(name);
    if (slot === undefined) {
      return this.#unknown();
    }
    if (slot.child !== null) {
      return { kind: 'already-running', pid: slot.child.pid };
    }
    const startedAt = this.#options.now();
    try {
      const child = this.#spawn(slot);
      await child.prepared;
      child.run();
      await child.ready;
      const elapsedMs = Math.round(this.#options.now() - startedAt);
      return { kind: 'started', pid: child.pid, elapsedMs };
    } catch (cause) {
      if (cause instanceof AppError) {
        return { kind: 'failed', code: cause.code, message: cause.message, hint: cause.hint };
      }
      throw cause;
    }
  }

  /** `kill -9`; resolves when the process is gone. */
  async kill(name: string): Promise<KillOutcome> {
    const slot = this.#slots.get(name);
    if (slot === undefined) {
      return this.#unknown();
    }
    const { child } = slot;
    if (child === null) {
      return { kind: 'not-running' };
    }
    child.kill();
    await child.exited;
    return { kind: 'killed', pid: child.pid };
  }

  /** Asks all to end, and kills those that still run after `graceMs`. Resolves when none is left. */
  async stopAll(graceMs: number): Promise<void> {
    const running = [...this.#slots.values()].flatMap(({ child }) => child ?? []);
    for (const child of running) {
      child.stop();
    }
    const timer = setTimeout(() => {
      for (const child of running) {
        child.kill();
      }
    }, graceMs);
    await Promise.all(running.map(({ exited }) => exited));
    clearTimeout(timer);
  }

  #spawn({ plan }: Slot): Child {
    const child = spawnChild(plan);
    const { name } = plan;
    this.#change(name, { child, isReady: false, exit: null });
    child.ready.then(
      () => {
        this.#change(name, { isReady: true });
        this.#report({ kind: 'ready', name, pid: child.pid });
      },
      () => undefined,
    );
    child.exited.then(
      (exit) => {
        this.#change(name, { child: null, isReady: false, exit });
        this.#report({ kind: 'ended', name, exit });
      },
      () => undefined,
    );
    return child;
  }

  #change(name: string, change: Partial<Omit<Slot, 'plan'>>): void {
    const slot = this.#slots.get(name);
    if (slot !== undefined) {
      this.#slots.set(name, { ...slot, ...change });
    }
  }

  #report(event: ProcessEvent): void {
    if (event.kind === 'ready') {
      this.#options.log('info', 'child-ready', { name: event.name, pid: event.pid });
    } else {
      this.#options.log('warn', 'child-ended', { name: event.name, ...event.exit });
    }
    this.#options.onEvent(event);
  }

  #unknown(): { readonly kind: 'unknown-process'; readonly known: readonly string[] } {
    return { kind: 'unknown-process', known: [...this.#slots.keys()] };
  }
}
