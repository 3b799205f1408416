/**
 * A whole plan over a hand-written log and a world in memory, by the workers of three regions, of
 * which one dies right after one of its effects: the effect is done, its result is in no log. The
 * others go on from the log. Whoever is asked to approve does; the leader looks when it is time.
 */
import type { RegionId } from '../../../lib/base/identifiers.ts';
import type { JsonValue } from '../../../lib/base/json.ts';
import { performStep } from '../../../lib/control/effects.ts';
import { CONTROL_TIMINGS } from '../../../lib/control/limits.ts';
import { createControlMachine, reduce } from '../../../lib/control/machine.ts';
import { Worker } from '../../../lib/control/worker.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import { openSteps, type Run } from '../../../lib/recovery/run.ts';
import type { RecoveryState } from '../../../lib/recovery/state.ts';
import { createEffectWorld, type EffectWorld, effectContext } from '../../support/effect-ports.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { OBSERVERS, T0 } from '../../support/service-states.ts';

export interface PlanCase {
  readonly name: string;
  readonly policies: readonly ServicePolicy[];
  /** The world before anything happens. */
  readonly prepare?: (world: EffectWorld) => void;
  /** What makes the plan run. */
  readonly begin: (story: LogStory, world: EffectWorld) => void;
  /** Further commands, once nothing is open any more; each is asked for once. */
  readonly next?: readonly ((story: LogStory, world: EffectWorld) => void)[];
}

export type Change = (story: LogStory, world: EffectWorld) => void;

export interface Interruption {
  /** The effect at which its worker stops, counted from 1; 0 = none does. */
  readonly at: number;
  /** Before it has done anything, or after it was done and before the result is recorded. */
  readonly place?: 'before' | 'after';
  /** What happens to the world at that moment. */
  readonly change?: Change;
}

export interface Played {
  readonly story: LogStory;
  readonly world: EffectWorld;
  /** Effects done, those that found nothing to do included, until it was over. */
  readonly effects: number;
  /** Lets the worker that stopped go on, as a process does that was frozen. */
  readonly thaw: () => Promise<void>;
}

/** Longest time for one plan. */
const OVER_MS_MAX = 4 * 3_600_000;

export async function play(plan: PlanCase, interruption: Interruption): Promise<Played> {
  const clock = createManualClock(T0);
  const world = createEffectWorld(clock);
  const story = steadyStory(...plan.policies);
  const crew = createCrew(story, world, interruption);
  plan.prepare?.(world);
  await writeFirstRecords(story, world);
  plan.begin(story, world);
  await crew.untilOver();
  for (const further of plan.next ?? []) {
    further(story, world);
    await crew.untilOver();
  }
  return { story, world, effects: crew.effects(), thaw: crew.thaw };
}

/** The setup of `steadyStory` was finished by hand; the zone has to stand as it says. */
async function writeFirstRecords(story: LogStory, world: EffectWorld): Promise<void> {
  const state = story.state();
  for (const run of state.runs) {
    const [step] = run.steps;
    if (step !== undefined) {
      const context = effectContext(story, 'setup');
      await performStep(world.ports, { run, step: { ...step, epoch: run.epoch } }, context);
    }
  }
}

function createCrew(story: LogStory, world: EffectWorld, interruption: Interruption) {
  const { at, place = 'after', change } = interruption;
  const { clock } = world;
  const dead = new Set<RegionId>();
  const gate = Promise.withResolvers<void>();
  let effects = 0;
  const workers = OBSERVERS.map((region) => {
    const worker = new Worker({
      region,
      state: story.state,
      propose: async (command) => story.write(command, command.at),
      perform: async ({ run, step, openSince }) => {
        const context = effectContext(story, region, openSince);
        effects += 1;
        const isCut = effects === at;
        const stop = () => {
          dead.add(region);
          change?.(story, world);
          return gate.promise;
        };
        await (isCut && place === 'before' ? stop() : null);
        const result = await performStep(world.ports, { run, step }, context);
        await (isCut && place === 'after' ? stop() : null);
        return result;
      },
      isReachable: (other) => !dead.has(other),
      clock,
      random: () => 0.5,
      log: () => undefined,
    });
    return [region, worker] as const;
  });
  const look = async () => {
    for (const [region, worker] of workers) {
      if (!dead.has(region)) {
        void worker.work();
      }
    }
    await clock.advance(0);
  };
  const pass = async () => {
    await clock.advance(CONTROL_TIMINGS.tickMs);
    story.waitReviewing(CONTROL_TIMINGS.tickMs);
    approveAll(story);
    await look();
  };
  return {
    effects: () => effects,
    thaw: async () => {
      gate.resolve();
      for (let turn = 0; turn < 20; turn += 1) {
        await pass();
      }
    },
    untilOver: async () => {
      approveAll(story);
      await look();
      for (let passedMs = 0; passedMs < OVER_MS_MAX; passedMs += CONTROL_TIMINGS.tickMs) {
        if (isQuiet(story.state())) {
          return;
        }
        await pass();
      }
      throw new Error(`a run does not end: ${JSON.stringify(story.run())}`);
    },
  };
}

/** Nothing is open, and no practice waits for its end; one whose home is sick has to wait. */
function isQuiet({ runs, services }: RecoveryState): boolean {
  return (
    runs.every((run) => run.outcome.kind !== 'open' && openSteps(run).length === 0) &&
    Object.values(services).every(
      ({ drill, sites }) => drill === null || sites[drill.homeSite]?.opinion.state !== 'healthy',
    )
  );
}

function approveAll(story: LogStory): void {
  for (const run of story.state().runs) {
    const step = openSteps(run).find(({ action }) => action.kind === 'approve');
    if (step !== undefined && run.outcome.kind === 'open') {
      const said = { verdict: 'approve', by: 'bob', reason: 'go ahead' } as const;
      story.write({ kind: 'approve', run: run.id, step: step.name, ...said });
    }
  }
}

/** What stands in the end, in the log and in the world, without what only the number of entries changes. */
export function endOf({ story, world }: Played): JsonValue {
  const { services, runs } = story.state();
  const ids = runs.map(({ id }) => id);
  const named = (text: string) =>
    ids.reduce((name, id, place) => name.replace(`${id}/`, `run ${place}/`), text);
  return plain({
    services: Object.values(services).map(({ policy, ...service }) => ({
      service: policy.service,
      phase: service.phase,
      activeSite: service.activeSite,
      traffic: service.traffic,
      granted: service.granted,
      dns: world.zone.shares(policy.dnsName),
    })),
    runs: runs.map(({ kind, mode, from, to, steps, outcome }) => ({
      ...{ kind, mode, from, to },
      outcome: { ...outcome, at: 0 },
      steps: steps.map(({ name, progress }) => `${name}: ${progress.kind}`),
    })),
    switches: world.zone.applied.length,
    effects: world.actions.effects
      .map(({ kind, subject, token }) => `${kind} ${subject} ${named(token)}`)
      .toSorted(),
    reports: world.store.keys().length,
  });
}

/** The state that somebody else makes of the same log, from a copy that was stored at each entry. */
export function reloaded({ story }: Pick<Played, 'story'>): RecoveryState {
  return story.log().reduce<RecoveryState>((state, { command, index, term }) => {
    return reduce(plain(state), plain(command), { index, term }).state;
  }, createControlMachine(OBSERVERS).initial);
}

export function newestRun(story: LogStory, service: string): Run | undefined {
  return story.state().runs.findLast((run) => run.service === service);
}

function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
