/**
 * What goes wrong between processes and stores, and in the stores. Each function installs one fault,
 * and returns whether it took hold.
 */
import type { RegionId } from '../base/identifiers.ts';
import type { FaultScene } from './fault-scene.ts';
import { DOWN, READ_ONLY, type RegionWeather, slow, throttling } from './region-weather.ts';

/** A store that answers nobody. */
export function regionDown(scene: FaultScene): boolean {
  return strike(scene, DOWN);
}

/** Slow, and alive: some answers come before the caller gives up, some after. */
export function slowRegion(scene: FaultScene): boolean {
  const durationMs = scene.durationMs() * 2;
  return changeWeather(scene, scene.victim(), {
    weather: slow(50 + scene.random() * 350),
    durationMs,
  });
}

export function throttledRegion(scene: FaultScene): boolean {
  const writesPerSecond = 5 + scene.random() * 60;
  return strike(scene, throttling(writesPerSecond, scene.world.now));
}

export function readOnlyRegion(scene: FaultScene): boolean {
  return strike(scene, READ_ONLY);
}

/** There and gone and there again, faster than anybody can elect. */
export function flappingRegion(scene: FaultScene): boolean {
  const region = scene.victim();
  const endsAt = scene.world.now + scene.durationMs() * 2;
  const flap = () => {
    if (scene.world.now < endsAt) {
      changeWeather(scene, region, { weather: DOWN, durationMs: 10 + scene.random() * 80 });
      scene.later(30 + scene.random() * 150, flap);
    }
  };
  flap();
  return scene.cluster.network.weather.has(region);
}

/** Too few stores are left for anybody to commit. */
export function majorityDown(scene: FaultScene): boolean {
  const { regions } = scene.cluster;
  const first = Math.floor(scene.random() * regions.length);
  const durationMs = scene.durationMs();
  for (let lost = 0; lost * 2 < regions.length; lost += 1) {
    const region = regions[(first + lost) % regions.length];
    if (region !== undefined) {
      changeWeather(scene, region, { weather: DOWN, durationMs });
    }
  }
  return scene.cluster.network.weather.size * 2 > regions.length;
}

/** No room for more than a few entries: the wall stands right behind what is there. */
export function narrowRegion(scene: FaultScene): boolean {
  const store = scene.cluster.storeAt(scene.victim());
  store.bytesMax = Math.min(store.bytesMax, store.bytes + 60 + scene.random() * 400);
  scene.later(scene.durationMs(), () => {
    store.bytesMax = scene.cluster.storeBytesMax;
  });
  return store.bytesMax < scene.cluster.storeBytesMax;
}

/** One way, one direction of requests. */
export function wayCut(scene: FaultScene): boolean {
  return cut(scene, `${scene.victim()}>${scene.anyRegion()}`, scene.durationMs());
}

/** Two groups of regions that hear nothing of each other. */
export function partition(scene: FaultScene): boolean {
  const side = new Map(scene.cluster.regions.map((region) => [region, scene.random() < 0.5]));
  return cutBetween(scene, (from, to) => side.get(from) !== side.get(to));
}

/** X sees A and B, Y sees B and C: everybody reaches a majority, and not the same one. */
export function bridge(scene: FaultScene): boolean {
  const pivot = scene.anyRegion();
  const side = new Map(scene.cluster.regions.map((region) => [region, scene.random() < 0.5]));
  return cutBetween(
    scene,
    (from, to) => from !== pivot && to !== pivot && side.get(from) !== side.get(to),
  );
}

export function storm(scene: FaultScene): boolean {
  const { random, cluster } = scene;
  cluster.network.storm = {
    lossChance: random() * 0.3,
    lateChance: random() * 0.4,
    duplicateChance: random() * 0.25,
    refusalChance: random() * 0.1,
  };
  scene.later(scene.durationMs(), () => cluster.network.calm());
  return cluster.network.storm.lossChance > 0;
}

function strike(scene: FaultScene, weather: RegionWeather): boolean {
  return changeWeather(scene, scene.victim(), { weather, durationMs: scene.durationMs() });
}

interface WeatherChange {
  readonly weather: RegionWeather;
  readonly durationMs: number;
}

export function changeWeather(
  scene: FaultScene,
  region: RegionId,
  { weather, durationMs }: WeatherChange,
): boolean {
  const { weather: weathers } = scene.cluster.network;
  weathers.set(region, weather);
  scene.later(durationMs, () => {
    // Another weather may have come meanwhile; it ends in its own time.
    if (weathers.get(region) === weather) {
      weathers.delete(region);
    }
  });
  return weathers.get(region) === weather;
}

function cutBetween(scene: FaultScene, isCut: (from: RegionId, to: RegionId) => boolean): boolean {
  const { regions } = scene.cluster;
  const durationMs = scene.durationMs();
  let isAnyCut = false;
  for (const from of regions) {
    for (const to of regions) {
      if (isCut(from, to)) {
        isAnyCut = cut(scene, `${from}>${to}`, durationMs) || isAnyCut;
      }
    }
  }
  return isAnyCut;
}

function cut(scene: FaultScene, way: string, durationMs: number): boolean {
  const { cutWays } = scene.cluster.network;
  cutWays.add(way);
  scene.later(durationMs, () => cutWays.delete(way));
  return cutWays.has(way);
}
