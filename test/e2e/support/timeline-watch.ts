/**
 * Collects the notes that show on the timeline, which is where a note takes effect.
 *
 * The log may hold two entries of one command (a retry whose first attempt made it after all); only
 * one may take effect. The state keeps the latest 200 events, so it is read often enough to see all.
 */

import type { LocalCluster } from './cluster.ts';
import { freshStatus } from './situation.ts';
import { sleep } from './wait.ts';

const POLL_MS = 400;

export interface TimelineWatch {
  /** Indexes at which each note sentence took effect. */
  readonly stop: () => Promise<ReadonlyMap<string, ReadonlySet<number>>>;
}

export function watchTimeline(cluster: LocalCluster): TimelineWatch {
  const effects = new Map<string, Set<number>>();
  let isOver = false;
  const look = async () => {
    const status = await freshStatus(cluster);
    for (const { kind, sentence, index } of status?.timeline ?? []) {
      if (kind === 'note') {
        effects.set(sentence, (effects.get(sentence) ?? new Set()).add(index));
      }
    }
  };
  const work = (async () => {
    while (!isOver) {
      await look();
      await sleep(POLL_MS);
    }
    await look();
  })();
  return {
    stop: async () => {
      isOver = true;
      await work;
      return effects;
    },
  };
}
