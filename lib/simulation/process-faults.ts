/**
 * What goes wrong with processes, and what they rely on. Each function installs one fault, and returns
 * whether it took hold.
 */
import type { RegionId } from '../base/identifiers.ts';
import type { RegisterPort } from '../consensus/register-port.ts';
import type { FaultScene } from './fault-scene.ts';
import { changeWeather } from './network-faults.ts';
import { DOWN } from './region-weather.ts';
import type { ProcessKind, SimulatedProcess } from './simulated-cluster.ts';

export function crash(scene: FaultScene): boolean {
  return kill(scene, anyProcess(scene), scene.durationMs());
}

export function freeze(scene: FaultScene): boolean {
  return freezeFor(scene, anyProcess(scene), scene.durationMs());
}

/** Until everything else is over: what it holds by then is very old. */
export function longFreeze(scene: FaultScene): boolean {
  const { vitality } = anyProcess(scene);
  const isHit = vitality.isAlive;
  vitality.freeze();
  return isHit && !vitality.isAlive;
}

/** The whole region is gone: its table, and its processes. */
export function outage(scene: FaultScene): boolean {
  const region = scene.victim();
  const durationMs = scene.durationMs() * 2;
  const isDown = changeWeather(scene, region, { weather: DOWN, durationMs });
  for (const kind of ['controller', 'function'] as const) {
    kill(scene, scene.cluster.processAt(kind, region), durationMs);
  }
  return isDown;
}

/** A second controller of one region, with the same name and the same rights, at the same time. */
export function double(scene: FaultScene): boolean {
  const region = scene.victim();
  if (scene.cluster.processes.some((one) => one.kind === 'double' && one.region === region)) {
    return false;
  }
  const process = scene.cluster.start('double', region);
  scene.later(scene.durationMs(), () => scene.cluster.remove(process));
  return process.vitality.isAlive;
}

/** Everybody starts at once: all processes are new, and nobody remembers who leads. */
export function stampede(scene: FaultScene): boolean {
  for (const process of scene.cluster.processes) {
    process.vitality.kill();
    revive(scene, process);
  }
  return scene.cluster.processes.every(({ vitality }) => !vitality.isDead);
}

/** Votes are rare: only where many stand at once do some of them come late, and find their place. */
const DUEL_STORM = { lossChance: 0.05, lateChance: 0.5, duplicateChance: 0.1, refusalChance: 0 };
const DUEL_STORM_MS = 60;

/** All controllers stand for election in the same instant, without a look at who leads. */
export function duel(scene: FaultScene): boolean {
  const { network } = scene.cluster;
  if (scene.random() < 0.5) {
    network.storm = DUEL_STORM;
    scene.later(DUEL_STORM_MS, () => network.calm());
  }
  const contenders = scene.cluster.processes.filter(
    ({ kind, vitality }) => kind !== 'function' && vitality.isAlive,
  );
  for (const { contend } of contenders) {
    contend();
  }
  return contenders.length > 1;
}

/** The wall clock of one process jumps, by hours, either way. */
export function clockJump(scene: FaultScene): boolean {
  const { clock } = anyProcess(scene);
  const before = clock.wallNow();
  clock.jump((scene.random() - 0.5) * 20 * 3_600_000);
  return clock.wallNow() !== before;
}

/** One process's clocks run up to twice as fast as true time, or half as fast, from now on. */
export function clockDrift(scene: FaultScene): boolean {
  const { clock, vitality } = anyProcess(scene);
  clock.drift(2 ** (2 * scene.random() - 1));
  return !vitality.isDead;
}

/** The archive takes nothing more: no register can forget anything, and all grow. */
export function archiveAway(scene: FaultScene): boolean {
  const { cluster } = scene;
  cluster.archivedUpTo = Math.max(0, ...cluster.copies.map(({ server }) => server.base.index));
  scene.later(scene.durationMs() * 4, () => {
    cluster.archivedUpTo = Number.POSITIVE_INFINITY;
  });
  return cluster.archivedUpTo < Number.POSITIVE_INFINITY;
}

/** Of one request, while somebody lies in wait; rare requests are worth more. */
const AMBUSH_CHANCES: { readonly [method in keyof RegisterPort]: number } = {
  region: 0,
  read: 0.04,
  compareAndSet: 0.06,
  readBeat: 0.02,
  writeBeat: 0.02,
  readSnapshot: 0.3,
  writeSnapshot: 0.3,
  dropSnapshotsBelow: 0.3,
};
const AMBUSH_KILLS = 0.25;

/**
 * Processes freeze or die just when a store has taken their request: between any two of their steps.
 * `onAmbush` hears in the middle of what.
 */
export function ambush(scene: FaultScene, onAmbush: (method: keyof RegisterPort) => void): void {
  const { network } = scene.cluster;
  const victims = new Map(scene.cluster.processes.map((process) => [process.vitality, process]));
  network.onAct = ({ vitality }, method) => {
    const process = victims.get(vitality);
    if (process === undefined || scene.random() >= AMBUSH_CHANCES[method]) {
      return;
    }
    onAmbush(method);
    if (scene.random() < AMBUSH_KILLS) {
      kill(scene, process, scene.durationMs());
    } else {
      freezeFor(scene, process, scene.durationMs());
    }
  };
  scene.later(scene.durationMs(), () => {
    network.onAct = () => undefined;
  });
}

/** Starts another in the place of one that died. */
export function revive({ cluster }: FaultScene, { kind, region }: SimulatedProcess): void {
  if (kind !== 'double' && cluster.processAt(kind, region).vitality.isDead) {
    cluster.start(kind, region);
  }
}

function kill(scene: FaultScene, process: SimulatedProcess, durationMs: number): boolean {
  const isHit = !process.vitality.isDead;
  process.vitality.kill();
  scene.later(durationMs, () => revive(scene, process));
  return isHit && process.vitality.isDead;
}

function freezeFor(scene: FaultScene, { vitality }: SimulatedProcess, durationMs: number): boolean {
  const isHit = vitality.isAlive;
  vitality.freeze();
  scene.later(durationMs, () => vitality.thaw());
  return isHit && !vitality.isAlive;
}

function anyProcess(scene: FaultScene): SimulatedProcess {
  const kind: ProcessKind = scene.random() < 0.6 ? 'controller' : 'function';
  const region: RegionId = scene.victim();
  return scene.cluster.processAt(kind, region);
}
