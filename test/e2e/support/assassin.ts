/**
 * Kills processes at random moments and brings them back through the supervisor.
 *
 * Never two regions at once, so that a quorum is always possible; DNS and sites may die at any time,
 * also while a region is down. The order of the kills depends on the seed alone.
 */
import type { LocalCluster } from './cluster.ts';
import { REGIONS } from './cluster.ts';
import type { SeededRandom } from './random.ts';
import { sleep } from './wait.ts';

/** A region takes a second or two to come back; most of the wait is that. */
const DOWN_MS_MAX = 500;
const PAUSE_MS_MAX = 400;

export interface Killing {
  readonly name: string;
  readonly order: number;
}

export interface AssassinOptions {
  readonly cluster: LocalCluster;
  readonly random: SeededRandom;
  readonly kills: number;
  readonly onKill: (killing: Killing) => void;
}

/** Resolves when all kills are done and everything is up again. */
export async function killAtRandom(options: AssassinOptions): Promise<readonly Killing[]> {
  const { cluster, random, kills, onKill } = options;
  const names = (await cluster.processes()).map(({ name }) => name);
  const isRegion = (name: string) => REGIONS.some((region) => region === name);
  const returning = new Map<string, Promise<void>>();
  const killings: Killing[] = [];
  while (killings.length < kills) {
    const name = random.pick(names);
    const downMs = random.between(0, DOWN_MS_MAX);
    const pauseMs = random.between(0, PAUSE_MS_MAX);
    const inTheWay = [...returning].filter(
      ([other]) => other === name || (isRegion(name) && isRegion(other)),
    );
    await Promise.all(inTheWay.map(([, homecoming]) => homecoming));
    await cluster.kill(name);
    const killing = { name, order: killings.length + 1 };
    killings.push(killing);
    onKill(killing);
    const back = sleep(downMs)
      .then(() => cluster.bringUp(name))
      .finally(() => returning.delete(name));
    returning.set(name, back);
    await sleep(pauseMs);
  }
  await Promise.all(returning.values());
  return killings;
}
