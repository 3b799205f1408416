/** Brings a whole world to the point where a service is set up, its sites are known and clients are served. */
import { AppError } from '../../base/errors.ts';
import type { ControlCommand } from '../../control/commands.ts';
import type { CommandOutcome } from '../../control/control-plane.ts';
import { heirOf } from '../../control/leader-placement.ts';
import { type WholeOptions, WholeWorld } from './whole-world.ts';

/** An election, a configuration, a set-up run and its propagation take less than this. */
const READY_MS_MAX = 240_000;
/** As many as a window holds (`lib/detection/limits.ts`): nothing is learnt any more. */
const HISTORY_BEATS = 220;
/** Within this the log's leadership is usually where it rests; a hand-over that failed is not waited for. */
const PLACED_MS_MAX = 40_000;
/** From the first beats until roles are known and the first rounds are over. */
const SETTLING_BEATS = 5;

/** Founds and configures a world, and lets it live until clients are served, as on any ordinary day. */
export async function startLife(options: WholeOptions): Promise<WholeWorld> {
  const whole = new WholeWorld(options);
  whole.zone.isQuick = true;
  await whole.found();
  await until(whole, () => whole.leader !== null, READY_MS_MAX);
  await configure(whole);
  const isKnown = () =>
    whole.regions.every(({ control }) => control?.plane.status().state.configHash !== null);
  await until(whole, isKnown, READY_MS_MAX);
  let isAwake = false;
  void whole.wakeSites(HISTORY_BEATS).then(() => {
    isAwake = true;
  });
  await until(whole, () => isAwake && isReady(whole), READY_MS_MAX);
  await passUntil(whole, () => isLeaderPlaced(whole), PLACED_MS_MAX);
  whole.zone.isQuick = false;
  for (const clients of whole.crowds.values()) {
    clients.start();
  }
  await pass(whole, SETTLING_BEATS * whole.policy.detection.intervalMs);
  return whole;
}

async function configure(whole: WholeWorld): Promise<void> {
  const { configHash, policies } = whole.options;
  const outcome = await propose(whole, {
    kind: 'configure',
    at: whole.stamp(),
    by: 'simulation',
    reason: 'the configuration that is tried',
    configHash,
    policies,
  });
  if (outcome?.kind !== 'committed' || outcome.result.kind !== 'accepted') {
    throw stuck(`the configuration was not taken: ${JSON.stringify(outcome)}`);
  }
}

/** Its name resolves everywhere, no run is open, and its active site knows that it is. */
function isReady(whole: WholeWorld): boolean {
  const { standing, zone, policy } = whole;
  return (
    standing?.phase.kind === 'steady' &&
    zone.isSettled &&
    zone.answersOf(0, policy.dnsName).length > 0 &&
    whole.ownSites.some(({ believesActive }) => believesActive)
  );
}

/** No other region would be a better one to lead. */
function isLeaderPlaced({ leader, state, regions }: WholeWorld): boolean {
  const heirs = regions.map(({ region }) => region).filter((region) => region !== leader);
  return leader !== null && state !== null && heirOf(state.services, leader, heirs) === null;
}

/** Lets time pass. */
export async function pass(whole: WholeWorld, durationMs: number): Promise<void> {
  const { world } = whole;
  await world.run({ until: world.now + durationMs, check: NOTHING });
}

/** Lets time pass until it is so; false = the time was over before. */
export async function passUntil(
  whole: WholeWorld,
  isSo: () => boolean,
  limitMs: number,
): Promise<boolean> {
  const { world } = whole;
  return world.run({ until: world.now + limitMs, check: NOTHING, isDone: isSo });
}

/** Proposes a command and lets time pass until there is an outcome. */
export async function propose(
  whole: WholeWorld,
  command: ControlCommand,
): Promise<CommandOutcome | null> {
  let told: { readonly outcome: CommandOutcome | null } | null = null;
  void whole.propose(command).then((outcome) => {
    told = { outcome };
  });
  await passUntil(whole, () => told !== null, READY_MS_MAX);
  return (told as { readonly outcome: CommandOutcome | null } | null)?.outcome ?? null;
}

async function until(whole: WholeWorld, isSo: () => boolean, limitMs: number): Promise<void> {
  if (!(await passUntil(whole, isSo, limitMs))) {
    const timeline = whole.state?.timeline.slice(-6).map(({ sentence }) => sentence);
    throw stuck(`the world was not ready within ${limitMs} ms: ${JSON.stringify(timeline ?? [])}`);
  }
}

function stuck(message: string): AppError {
  const hint = 'Run `tripoint validate` on the file; the same seed repeats what happened.';
  return new AppError(message, { code: 'simulation-stuck', hint, retryable: false });
}

function NOTHING(): void {
  // What is wrong is collected by the checkers; a life goes on.
}
