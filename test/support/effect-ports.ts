/** What effects are given in tests: a zone, a store, sites and action ports, all in memory. */
import { createHash } from 'node:crypto';
import { type MonotonicMillis, monotonicMillis } from '../../lib/base/identifiers.ts';
import { formatInstant } from '../../lib/base/instant.ts';
import type { EffectContext, EffectPorts } from '../../lib/control/step-effects/step-work.ts';
import { MemoryActions } from '../../lib/simulation/memory-actions.ts';
import { MemoryHealthTable, memoryHealthStore } from '../../lib/simulation/memory-health-store.ts';
import type { LogStory } from './log-story.ts';
import type { ManualClock } from './manual-clock.ts';
import { MemorySnapshotStore } from './memory-snapshot-store.ts';
import { MemoryZone } from './memory-zone.ts';
import { OBSERVERS } from './service-states.ts';

export interface EffectWorld {
  readonly clock: ManualClock;
  readonly zone: MemoryZone;
  readonly store: MemorySnapshotStore;
  readonly health: MemoryHealthTable;
  readonly actions: MemoryActions;
  readonly ports: EffectPorts;
}

/** From a change of capacity until it is ready, and from a promotion until its database moved. */
const [GROW_MS, MOVE_MS] = [4000, 3000];

export function createEffectWorld(clock: ManualClock): EffectWorld {
  const zone = new MemoryZone();
  const store = new MemorySnapshotStore();
  const health = new MemoryHealthTable();
  const actions = new MemoryActions({ clock, growMs: GROW_MS, moveMs: MOVE_MS });
  const ports = {
    switchPort: zone.switchPort,
    verifyPort: zone.verifyPort,
    actions: actions.ports,
    store: store.port,
    health: memoryHealthStore(health),
    clock,
    random: () => 0.5,
  };
  return { clock, zone, store, health, actions, ports };
}

/** @param openSince default: open for so long that every lease has lapsed. */
export function effectContext(
  story: Pick<LogStory, 'state' | 'log' | 'now'>,
  region: string,
  openSince: MonotonicMillis = monotonicMillis(-3_600_000),
): EffectContext {
  return {
    state: story.state(),
    openSince,
    report: (_, policy) =>
      Promise.resolve({
        policy,
        generatedAt: story.now(),
        generatedBy: region,
        position: { index: story.log().length, chain: 'c' },
        formatInstant,
        sha256: (text) => createHash('sha256').update(text).digest('hex'),
        children: [],
        drill: null,
        excerpt: { complete: false, spans: [] },
        founders: OBSERVERS,
      }),
  };
}
