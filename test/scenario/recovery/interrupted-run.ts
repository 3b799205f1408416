/**
 * A failover whose first worker stops at a chosen place, over a hand-written log, the real effects
 * and a zone in memory; and the workers of the other regions, which go on from the log.
 */
import type { RegionId } from '../../../lib/base/identifiers.ts';
import { performStep } from '../../../lib/control/effects.ts';
import { CONTROL_TIMINGS } from '../../../lib/control/limits.ts';
import type { EffectPorts } from '../../../lib/control/step-effects/step-work.ts';
import { Worker } from '../../../lib/control/worker.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import type { Run } from '../../../lib/recovery/run.ts';
import type { SwitchPort } from '../../../lib/recovery/switch-port.ts';
import { createEffectWorld, effectContext } from '../../support/effect-ports.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import type { MemorySnapshotStore } from '../../support/memory-snapshot-store.ts';
import type { MemoryZone } from '../../support/memory-zone.ts';
import { EAST, OBSERVERS, servicePolicy, T0 } from '../../support/service-states.ts';

export const NAME = 'checkout.example.test';
/** In the order of the addresses that `sitePolicy` gives. */
export const ADDRESS_OF: { readonly [site: string]: string } = {
  'us-east-1': '192.0.2.11',
  'us-west-2': '192.0.2.12',
};

/** Where the first worker stops for good. */
export type Place = 'after-claim' | 'after-effect' | 'after-result';

export interface Cut {
  readonly step: string;
  readonly place: Place;
}

export interface Stage {
  readonly clock: ManualClock;
  readonly story: LogStory;
  readonly zone: MemoryZone;
  readonly store: MemorySnapshotStore;
  readonly ports: EffectPorts;
  /** The failover that was cut. */
  readonly run: () => Run;
  /** Lets the first worker go on where it stopped, as a process does that was frozen. */
  readonly thaw: () => void;
  /** The workers of the other regions look once a second. */
  readonly pass: (durationMs: number) => Promise<void>;
  /** Until no run is open. Throws if that takes longer than any run may. */
  readonly untilOver: () => Promise<void>;
}

/** Longest time for one run: every attempt of every step times out. */
const OVER_MS_MAX = 3_600_000;

/** East fails, and the worker nearest to west stops at the cut. */
export async function interruptedFailover(
  cut: Cut,
  policy: Partial<ServicePolicy> = {},
): Promise<Stage> {
  const clock = createManualClock(T0);
  const story = steadyStory(servicePolicy(policy));
  const { zone, store, ports } = createEffectWorld(clock);
  const gate = createGate();
  const stage = { clock, story, zone, store, ports };
  story.say(EAST, 'failed');
  const failover = story.run().id;
  const [first, second, nearest] = OBSERVERS as readonly [RegionId, RegionId, RegionId];

  const cutWorker = workerOf(stage, nearest, async (step, place) => {
    if (step === cut.step && place === cut.place) {
      await gate.closed;
    }
  });
  const others = [first, second].map((region) => workerOf(stage, region, async () => undefined));

  void cutWorker.work();
  await clock.advance(0);
  const pass = async (durationMs: number) => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += CONTROL_TIMINGS.tickMs) {
      story.wait(CONTROL_TIMINGS.tickMs);
      await clock.advance(CONTROL_TIMINGS.tickMs);
      for (const worker of others) {
        void worker.work();
      }
      await clock.advance(0);
    }
  };
  return {
    ...stage,
    run: () => runOf(story, failover),
    thaw: gate.open,
    pass,
    untilOver: async () => {
      for (let passedMs = 0; passedMs < OVER_MS_MAX; passedMs += 1000) {
        if (story.state().runs.every(({ outcome }) => outcome.kind !== 'open')) {
          return;
        }
        await pass(1000);
      }
      throw new Error(`a run does not end: ${JSON.stringify(story.state().runs)}`);
    },
  };
}

type Parts = Pick<Stage, 'clock' | 'story' | 'ports'>;

function workerOf(
  { clock, story, ports }: Parts,
  region: RegionId,
  reached: (step: string, place: Place) => Promise<void>,
): Worker {
  const random = () => 0.5;
  return new Worker({
    region,
    state: story.state,
    propose: async (command) => {
      const result = story.write(command);
      if (command.kind === 'claim-step') {
        await reached(command.step, 'after-claim');
      }
      if (command.kind === 'finish-step') {
        await reached(command.step, 'after-result');
      }
      return result;
    },
    perform: async ({ run, step, openSince }) => {
      const context = effectContext(story, region, openSince);
      const result = await performStep(ports, { run, step }, context);
      await reached(step.name, 'after-effect');
      return result;
    },
    isReachable: () => true,
    clock,
    random,
    log: () => undefined,
  });
}

/** A port whose next change waits, between what the worker read and what it writes. */
export function heldChange(port: SwitchPort): {
  readonly port: SwitchPort;
  readonly release: () => void;
} {
  const gate = createGate();
  return {
    port: {
      ...port,
      change: async (batch, comment) => {
        await gate.closed;
        return port.change(batch, comment);
      },
    },
    release: gate.open,
  };
}

function createGate(): { readonly closed: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { closed: promise, open: resolve };
}

function runOf(story: LogStory, id: string): Run {
  const run = story.state().runs.find((candidate) => candidate.id === id);
  if (run === undefined) {
    throw new Error(`no run ${id}`);
  }
  return run;
}
